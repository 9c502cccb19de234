"""What every journey may ask for: a portal that runs, a browser, and a witness who lets nothing odd pass."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page, expect

from e2e import world as worlds
from e2e.elsewhere import Elsewhere
from e2e.witness import Witness
from e2e.world import World
from tests import servers
from tests.together import pytest_collection_modifyitems as pytest_collection_modifyitems

FLAGS = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing outside this machine has a name, whatever a page may ask for.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",
]
PATIENCE_MS = 20_000  # how long a page may take to come, and what is expected to be there: the machine may be busy
BLOCKS_THIRD_PARTY_COOKIES = '{"profile": {"block_third_party_cookies": true, "cookie_controls_mode": 1}}'


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("screenshot") == "off":
        config.option.screenshot = "only-on-failure"  # in test-results/
    expect.set_options(timeout=PATIENCE_MS)
    if not hasattr(config, "workerinput"):  # the process that starts the others, or the only one
        servers.open_folder()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        servers.close_folder()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": chromium(), "args": FLAGS}


def chromium() -> str:
    """Debian's own browser."""
    found = shutil.which("chromium")
    if found is None:
        pytest.exit("There is no Chromium here: run `make setup` as root, or `apt-get install chromium`.", 1)
    return found


@pytest.fixture(scope="session")
def portals() -> Iterator[Callable[[str], World]]:
    """`portals("sqlite")`: started when first asked for, and kept for all tests of this process."""
    found: dict[str, World] = {}
    with ExitStack() as stack:

        def portal(kind: str) -> World:
            if kind not in found:
                found[kind] = stack.enter_context(worlds.running(kind, servers.new_folder(kind)))
            return found[kind]

        yield portal


@pytest.fixture
def database_kind() -> str:
    """A journey that is to be made on another database parametrizes this."""
    return "sqlite"


@pytest.fixture
def world(portals: Callable[[str], World], database_kind: str) -> World:
    """Acme's portal. Others make journeys there as well, so each begins with a customer of its own."""
    return portals(database_kind)


@pytest.fixture(autouse=True)
def witness(world: World) -> Iterator[Witness]:
    """Fails a journey on which a foreign host was asked, a cookie was set, or the browser complained of anything."""
    seen = Witness({world.origin})
    yield seen
    assert not seen.complaints


@pytest.fixture
def new_context(
    new_context: Callable[..., BrowserContext], witness: Witness
) -> Iterator[Callable[..., BrowserContext]]:
    made: list[BrowserContext] = []

    def watched(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        witness.watch(context)
        made.append(context)
        return context

    yield watched
    for context in made:
        witness.search(context)


@pytest.fixture
def host(witness: Witness) -> Iterator[Elsewhere]:
    """The operator's app: `localhost`, so another site than the portal's `127.0.0.1`."""
    with Elsewhere("localhost") as host:
        witness.hosts.add(host.origin)
        yield host


@pytest.fixture
def guarded_page(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], witness: Witness, tmp_path: Path
) -> Iterator[Page]:
    """A page of a browser with a profile, because only a profile can be told to block third-party cookies."""
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text(BLOCKS_THIRD_PARTY_COOKIES)
    context = browser_type.launch_persistent_context(tmp_path, **browser_type_launch_args)
    context.set_default_timeout(PATIENCE_MS)
    witness.watch(context)
    yield context.pages[0]
    witness.search(context)
    context.close()
