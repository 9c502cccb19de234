"""A server that takes down what the SDK sends, and answers what a test has laid ready."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    method: str
    path: str
    params: dict[str, str]
    headers: Message


@dataclass
class Double:
    url: str
    asked: list[Asked] = field(default_factory=list)
    answers: deque[tuple[int, Any]] = field(default_factory=deque)

    def will(self, *answers: Any, status: int = 200) -> None:
        self.answers.extend((status, answer) for answer in answers)

    def forget(self) -> None:
        self.asked.clear()
        self.answers.clear()


@contextmanager
def running() -> Iterator[Double]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            url = urlsplit(self.path)
            params = dict(parse_qsl(url.query, keep_blank_values=True) + parse_qsl(body, keep_blank_values=True))
            double.asked.append(Asked(self.command, url.path, params, self.headers))
            status, answer = double.answers.popleft() if double.answers else (500, {"error": {"message": "no answer"}})
            if answer is None:  # hangs up
                self.close_connection = True
                return
            sent = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.send_header("Request-Id", "req_1")
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names that the library calls

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double = Double(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
