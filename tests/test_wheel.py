"""What people install: a wheel built from an sdist, in a clean environment far from this folder, serves its pages."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.xdist_group("wheel")  # one test process builds it, once

HOUSE = Path(__file__).parents[1]
CONSTRAINTS = HOUSE / "constraints.txt"
NOT_IN_A_CLONE = shutil.ignore_patterns(".*cache", ".git", ".venv", ".hypothesis", "vendor", "data", "__pycache__")
START_SECONDS = 20


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sdist, which is built from a copy without static/vendor: so htmx is brought from the lock."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(HOUSE, folder / "clone", ignore=NOT_IN_A_CLONE)
    _run(
        *_uv("build", "--quiet", "--build-constraint", CONSTRAINTS, "--out-dir", folder / "dist"), cwd=folder / "clone"
    )
    return next(folder.glob("dist/*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a new environment that holds the wheel and what it runs on, and nothing for development."""
    venv = tmp_path_factory.mktemp("elsewhere") / "venv"
    _run(*_uv("venv", "--quiet", "--python", sys.executable, venv))
    _run(*_uv("pip", "install", "--quiet", "--python", venv, "--constraint", CONSTRAINTS, wheel))
    return venv / "bin"


@pytest.mark.parametrize("folder", ["templates", "static", "migrations"])
def test_every_file_beside_the_package_is_inside_the_wheel(wheel: Path, folder: str) -> None:
    ours = {
        f"portal/{path.relative_to(HOUSE).as_posix()}"
        for path in (HOUSE / folder).rglob("*")
        if path.is_file() and not {"vendor", "__pycache__"} & set(path.parts)
    }

    assert ours
    assert ours <= set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_brings_htmx_with_its_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {"portal/static/vendor/htmx.min.js", "portal/static/vendor/LICENSE.htmx"} <= names
    assert not [name for name in names if "_assets" in name or "__pycache__" in name or name.startswith("tests/")]


@pytest.mark.parametrize(
    ("file", "was", "becomes", "complaint"),
    [
        ("package-lock.json", "sha512-oF7", "sha512-aaa", "EINTEGRITY"),
        ("hatch_build.py", "a0abb04f", "00000000", "is not the file that"),
    ],
)
def test_another_htmx_than_the_pinned_one_is_refused(
    tmp_path: Path, file: str, was: str, becomes: str, complaint: str
) -> None:
    shutil.copytree(HOUSE, tmp_path / "clone", ignore=NOT_IN_A_CLONE)
    changed = tmp_path / "clone" / "portal" / "_assets" / file
    text = changed.read_text()
    changed.write_text(text.replace(was, becomes))
    build = _uv("build", "--wheel", "--build-constraint", CONSTRAINTS, "--out-dir", tmp_path / "dist")
    # Without a cache of its own, npm would not ask for the archive again.
    environment = os.environ | {"npm_config_cache": str(tmp_path / "npm")}

    done = subprocess.run(build, cwd=tmp_path / "clone", env=environment, capture_output=True, text=True)

    assert was in text
    assert done.returncode != 0
    assert complaint in done.stderr


def test_an_installed_portal_migrates_twice_and_serves(installed: Path, tmp_path: Path) -> None:
    port = _free_port()
    environment = {"PATH": os.environ["PATH"], "PORTAL_DATA_DIR": str(tmp_path / "data")}
    environment["PORTAL_BASE_URL"] = f"http://127.0.0.1:{port}"

    _run(installed / "portal", "migrate", cwd=tmp_path, env=environment)
    _run(installed / "portal", "migrate", cwd=tmp_path, env=environment)
    with _served(installed, port, tmp_path, environment) as site:
        health = site.get("/healthz")
        missing = site.get("/i/nothing-here/")
        script = site.get("/static/vendor/htmx.min.js")

    assert health.status_code == 200
    assert missing.status_code == 404
    assert missing.headers["Content-Type"].startswith("text/html")
    assert "</html>" in missing.text
    assert script.status_code == 200


@contextmanager
def _served(installed: Path, port: int, folder: Path, environment: dict[str, str]) -> Iterator[httpx.Client]:
    command = [installed / "portal", "serve", "--port", str(port), "--workers", "1"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as site:
            _wait_for(site, server, folder / "log")
            yield site
    finally:
        server.terminate()
        server.wait(timeout=START_SECONDS)


def _wait_for(site: httpx.Client, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            site.get("/healthz")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"The installed portal does not answer:\n{log.read_text()}")


def _uv(*arguments: str | Path) -> list[str | Path]:
    return [Path(sys.executable).with_name("uv"), *arguments]


def _run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
