"""Answers of a server, read from the bytes that came over a connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str
    took: float  # seconds


def read(text: bytes, took: float) -> Answer:
    head, _, body = text.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    assert first.startswith("HTTP/1."), f"no answer: {text[:200]!r}"
    named = dict(line.split(": ", 1) for line in lines if ": " in line)
    headers = {name.lower(): value for name, value in named.items()}
    if headers.get("transfer-encoding") == "chunked":
        body = _unchunked(body)
    return Answer(int(first.split(" ")[1]), headers, body.decode("utf-8", "replace"), took)


def _unchunked(body: bytes) -> bytes:
    found = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        found, body = found + body[:length], body[length + 2 :]
    return found
