"""A small site that is not the portal: it answers everything with one page and remembers who asked."""

from __future__ import annotations

import threading
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from playwright.sync_api import Frame, Page


class Asked(NamedTuple):
    path: str
    headers: Message


class Elsewhere:
    """Serves while its block runs. `name` decides the site: a browser holds localhost and 127.0.0.1 for two."""

    def __init__(self, name: str, headers: dict[str, str] | None = None) -> None:
        # Its icon is not asked for: at the end of the block that question would meet a closed door.
        self.body = '<!doctype html><link rel="icon" href="data:,"><title>Elsewhere</title><p>Elsewhere</p>'
        self.asked: list[Asked] = []
        self._headers = headers or {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.origin = f"http://{name}:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/favicon.ico":
                    self.send_response(204)
                    self.end_headers()
                    return
                site.asked.append(Asked(self.path, self.headers))
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                for name, value in site._headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(site.body.encode())

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def framed(page: Page, host: Elsewhere, url: str) -> Frame:
    """The portal's page inside the host's."""
    host.body += f'<iframe src="{url}" width="900" height="700"></iframe>'
    page.goto(f"{host.origin}/")
    frame = page.frames[1]
    frame.wait_for_load_state()
    return frame
