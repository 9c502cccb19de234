"""Static files: whole, for ever under an address that names their content, and compressed for whoever reads that."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

from whitenoise import WhiteNoise
from whitenoise.responders import Response, StaticFile

from portal import assets, compression
from portal.web import headers

SECONDS = 365 * 24 * 3600  # every address of a static file names its content


class Files(WhiteNoise):
    """By GET and HEAD. Whatever else is asked of them the app refuses, with all its headers."""

    def __init__(self, following: Any, *, https: bool) -> None:
        told = headers.STATIC | (headers.HTTPS_ONLY if https else {})

        def add(to: Any, *_: Any) -> None:
            for one in told.items():
                to.add_header(*one)

        root = str(assets.folder("static"))
        super().__init__(following, root=root, prefix="static/", max_age=SECONDS, add_headers_function=add)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self.application(environ, start_response)
        environ.pop("HTTP_RANGE", None)
        return super().__call__(environ, start_response)

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        plain = super().get_static_file(path, url, stat_cache)
        return _Packed(plain, packed(path)) if path.endswith((".css", ".js", ".svg")) else plain


class _Packed:
    """A file that leaves compressed. WhiteNoise would look for that beside it; here nothing has to be built before."""

    def __init__(self, plain: StaticFile, packed: bytes) -> None:
        self.plain, self.packed = plain, packed

    def get_response(self, method: str, environ: dict[str, Any]) -> Response:
        plain = self.plain.get_response(method, environ)
        told = [*plain.headers, ("Vary", "Accept-Encoding")]
        if plain.status != HTTPStatus.OK or not compression.accepted(environ.get("HTTP_ACCEPT_ENCODING", "")):
            return Response(plain.status, told, plain.file)
        if plain.file is not None:
            plain.file.close()
        return Response(plain.status, self._headers(told), None if method == "HEAD" else BytesIO(self.packed))

    def _headers(self, told: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        kept = [(name, value) for name, value in told if name not in ("Content-Length", "ETag")]
        return [*kept, ("Content-Encoding", "gzip"), ("Content-Length", str(len(self.packed)))]


@cache
def packed(path: str) -> bytes:
    return gzip.compress(Path(path).read_bytes(), 9, mtime=0)
