"""Text leaves compressed, where the client reads gzip. What holds a secret beside words of the asker's must not."""

from __future__ import annotations

import gzip
from functools import lru_cache

from flask import Flask, Response, g, request
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

KINDS = ("text/", "application/json", "image/svg+xml")
SMALLEST = 600  # bytes; below, the headers weigh as much as what is saved
LEVEL = 5  # 6 takes a third longer for one hundredth less


def register(app: Flask) -> None:
    @app.after_request
    def compress(response: Response) -> Response:
        """`g.uncompressed` is set by whoever answers with a secret (BREACH: its length would tell)."""
        if response.direct_passthrough or not (response.mimetype or "").startswith(KINDS):
            return response
        response.vary.add("Accept-Encoding")
        if (
            not request.accept_encodings.quality("gzip")
            or g.get("uncompressed")
            or "Content-Encoding" in response.headers
        ):
            return response
        whole = response.get_data()
        if len(whole) >= SMALLEST:
            response.set_data(gzip.compress(whole, LEVEL, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
        return response


@lru_cache(maxsize=256)
def accepted(encodings: str) -> bool:
    """Does a client that says so in Accept-Encoding read gzip?"""
    return bool(parse_accept_header(encodings, Accept).quality("gzip"))
