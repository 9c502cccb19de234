"""What a page weighs, and when its rows can be read on a slow phone: a real browser that keeps nothing from before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from benchmarks.speed import World
from e2e.conftest import FLAGS, chromium

ROUNDS = 5
PHONE = {"width": 360, "height": 740}
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}  # ms, bytes/s
SLOWER = 4  # times, the processor
KB = 1024
# page: (its rows, how many, goal in KB, goal in milliseconds)
PAGES = {
    "the invoice page, published": (".lines > li", 60, 40, 1000),
    "the portal home, published": ("#pf-history tbody tr", 20, 60, 1000),
}
# Milliseconds from the click until something was painted and all the rows were there.
READABLE = """async ([rows, count]) => {
  while (document.querySelectorAll(rows).length < count) await new Promise(done => setTimeout(done, 5));
  const there = performance.now();
  while (!performance.getEntriesByName("first-contentful-paint").length) await new Promise(requestAnimationFrame);
  return Math.max(there, performance.getEntriesByName("first-contentful-paint")[0].startTime);
}"""
KINDS = {"Document": "HTML", "Stylesheet": "CSS", "Script": "JS"}


def main() -> None:
    print(f"Weight as sent, and rows readable at 1.6 Mbit/s, 150 ms, {SLOWER} x CPU: medians of {ROUNDS} cold visits\n")
    print(f"{'':<32}{'HTML':>9}{'CSS':>9}{'JS':>9}{'other':>9}{'all':>9}{'requests':>10}{'readable':>11}")
    with TemporaryDirectory() as folder, World.made("sqlite", Path(folder)).served() as asked, browser() as chrome:
        for name, (rows, count, heaviest, slowest) in PAGES.items():
            origin = f"http://127.0.0.1:{asked[name].port}"
            visits = [visit(chrome, origin + asked[name].path, rows, count) for _ in range(ROUNDS)]
            bytes_by_kind, requests, _ = visits[-1]
            told = [bytes_by_kind[kind] for kind in ("HTML", "CSS", "JS", "other")]
            took = median(each[2] for each in visits)
            verdict = "within" if sum(told) <= heaviest * KB and took < slowest else "ABOVE"
            print(
                f"{name:<32}"
                + "".join(f"{one:>9,}" for one in [*told, sum(told)])
                + f"{requests:>10}{took:>8.0f} ms  {verdict} {heaviest} KB, {slowest} ms"
            )
    print()


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield chrome
        chrome.close()


def visit(chrome: Browser, url: str, rows: str, count: int) -> tuple[Counter[str], int, float]:
    """Bytes by kind (headers too), how many requests, and milliseconds until the rows could be read."""
    with chrome.new_context(viewport=PHONE) as context:
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Network.emulateNetworkConditions", LINE)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        kinds: dict[str, str] = {}
        found: Counter[str] = Counter()
        devtools.on("Network.responseReceived", lambda told: kinds.update({told["requestId"]: told["type"]}))
        devtools.on(
            "Network.loadingFinished",
            lambda told: found.update(
                {KINDS.get(kinds.get(told["requestId"], ""), "other"): int(told["encodedDataLength"])}
            ),
        )
        page.goto(url, wait_until="commit")
        took: float = page.evaluate(READABLE, [rows, count])
        page.wait_for_load_state("networkidle")
        return found, len(kinds), took
