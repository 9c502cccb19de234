"""Text leaves compressed, where the client reads gzip. What holds a secret beside words of the asker's must not."""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from flask import Flask, Response, g, request
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

KINDS = ("text/", "application/json", "image/svg+xml")
SMALLEST = 600  # bytes; below, the headers weigh as much as what is saved
LEVEL = 5  # 6 takes a third longer for one hundredth less
HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # of a gzip file without name and time
SUMS = struct.Struct("<LL")  # CRC-32 and length of the text
RAW = -zlib.MAX_WBITS  # deflate alone


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


@dataclass(frozen=True, slots=True)
class Begun:
    """The beginning of a text, compressed ahead. What follows is put behind it when somebody asks."""

    crc: int
    length: int
    packed: bytes

    @classmethod
    def of(cls, text: bytes) -> Self:
        press = zlib.compressobj(zlib.Z_BEST_COMPRESSION, zlib.DEFLATED, RAW)
        return cls(zlib.crc32(text), len(text), press.compress(text) + press.flush(zlib.Z_SYNC_FLUSH))

    @classmethod
    def read(cls, kept: bytes) -> Self:
        """What dump() wrote."""
        crc, length = SUMS.unpack_from(kept)
        return cls(crc, length, kept[SUMS.size :])

    def dump(self) -> bytes:
        return SUMS.pack(self.crc, self.length) + self.packed

    def packed_with(self, rest: bytes) -> bytes:
        """The text as one gzip file, `rest` at its end."""
        press = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW)
        sums = SUMS.pack(zlib.crc32(rest, self.crc), (self.length + len(rest)) & 0xFFFFFFFF)
        return HEAD + self.packed + press.compress(rest) + press.flush() + sums
