"""After a walk through all pages nothing of it is left: not in the browser, not with other sites, not in titles."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Page, expect

from e2e import walk
from e2e.elsewhere import Elsewhere
from e2e.witness import Witness
from e2e.world import World

KEPT = """async () => ({
  session: sessionStorage.length,
  local: localStorage.length,
  cookies: document.cookie,
  databases: (await indexedDB.databases()).length,
  caches: (await caches.keys()).length,
  workers: (await navigator.serviceWorker.getRegistrations()).length,
})"""

# As if the page had such a link.
FOLLOW_A_LINK = """to => {
  const link = document.createElement("a");
  link.href = to;
  document.body.append(link);
  link.click();
}"""


def test_the_browser_keeps_nothing(world: World, page: Page, context: BrowserContext) -> None:
    walk.through_everything(world, page)

    kept = page.evaluate(KEPT)

    assert kept == {"session": 0, "local": 0, "cookies": "", "databases": 0, "caches": 0, "workers": 0}
    assert context.cookies() == []


def test_no_token_goes_to_another_site(world: World, page: Page, witness: Witness) -> None:
    with Elsewhere("localhost") as elsewhere:
        witness.hosts.add(elsewhere.origin)
        for kind in ("invoice", "line", "customer", "session", "usage"):
            page.goto(walk.open_pages(world)[kind])
            page.evaluate(FOLLOW_A_LINK, f"{elsewhere.origin}/{kind}")
            expect(page.get_by_text("Elsewhere")).to_be_visible()

        assert len(elsewhere.asked) == 5
        for asked in elsewhere.asked:
            assert asked.headers["Referer"] in (None, f"{world.origin}/"), asked


def test_no_request_of_a_walk_names_a_token_as_where_it_came_from(world: World, page: Page) -> None:
    # What the browser puts on the wire; Playwright's own list of headers leaves some out.
    sent: list[dict[str, str]] = []
    wire = page.context.new_cdp_session(page)
    wire.on("Network.requestWillBeSentExtraInfo", lambda request: sent.append(request["headers"]))
    wire.send("Network.enable")

    walk.through_everything(world, page)

    assert len(sent) > 20
    assert {headers.get("Referer") for headers in sent} == {None, f"{world.origin}/"}


def test_neither_a_title_nor_an_address_inside_a_page_says_whose_it_is(world: World, page: Page) -> None:
    for url in walk.open_pages(world).values():
        page.goto(url)
        token = url.removeprefix(world.origin).split("/")[2]
        title = page.title()
        addresses = page.locator("main a[href]").evaluate_all("all => all.map(a => a.getAttribute('href'))")

        assert title
        assert "Umbrella" not in title
        assert not re.search(r"[$€£¥]|\d[.,]\d", title)
        assert token not in title
        assert token not in page.content()
        assert all(address.startswith(("./", "../", "?", "#", "mailto:")) for address in addresses), addresses
