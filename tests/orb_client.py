"""Every call that Orb's official client can make, found by making it: no list of ours is asked."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from typing import Any

import httpx
from orb import Orb, OrbError

LOCAL = {"webhooks"}  # reads what arrives; asks nobody
NOT_CALLS = {"with_raw_response", "with_streaming_response"}


def made_by_the_client() -> Iterator[tuple[str, str, str]]:
    """(name below the client, HTTP method, path under /v1 with {parameters})"""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(404, json={"status": 404, "type": "", "title": "", "detail": ""})

    transport = httpx.Client(transport=httpx.MockTransport(answer))
    with Orb(api_key="key", base_url="http://orb.test/v1", max_retries=0, http_client=transport) as client:
        for name, call in calls(client):
            with suppress(OrbError):
                call(**arguments(call))
            request = asked.pop()
            yield name, request.method, _path(request)


def calls(client: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each call below `client`, bound, with its name."""
    kind = type(client)
    for word, value in inspect.getmembers_static(kind):
        if word.startswith("_") or word in NOT_CALLS or (not name and word in LOCAL):
            continue
        if isinstance(value, cached_property):
            yield from calls(getattr(client, word), f"{name}{word}.")
        elif name and inspect.isfunction(value) and value.__module__.startswith("orb.resources"):
            # Unwrapped: some check first which of their arguments go together.
            yield f"{name}{word}", inspect.unwrap(value).__get__(client)


def arguments(call: Any) -> dict[str, Any]:
    """Something for each parameter that the call cannot do without; the ids name themselves."""
    parameters = inspect.signature(call).parameters.values()
    return {one.name: f"xx{one.name}xx" for one in parameters if one.default is one.empty}


def _path(request: httpx.Request) -> str:
    parts = request.url.path.removeprefix("/v1").split("/")
    return "/".join(f"{{{part[2:-2]}}}" if part.startswith("xx") else part for part in parts)
