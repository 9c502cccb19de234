"""What the portal's pages are measured beside: a bare Flask route of 20 KB, on the server that the portal runs on."""

from __future__ import annotations

import sys
from typing import Any

from flask import Flask, Response

from portal import serve
from portal.config import read_settings
from portal.logs import configure

SIZE = 20 * 1024  # bytes


class BareServer(serve.Server):
    def load(self) -> Any:
        app = Flask("bare")
        body = b"x" * SIZE
        app.add_url_rule("/", view_func=lambda: Response(body, content_type="text/html; charset=utf-8"))
        return app


if __name__ == "__main__":
    configure("error")
    BareServer(read_settings(), serve.listen("127.0.0.1", int(sys.argv[1])), 1, lambda: None).run()
