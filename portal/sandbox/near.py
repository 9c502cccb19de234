"""Which addresses the sandbox sends anything to: this machine's, and the portal's."""

from __future__ import annotations

import re

_ADDRESS = re.compile(
    r"(?P<origin>https?://(?P<host>[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?)(?:[/?][!-\[\]-~]*)?", re.ASCII | re.I
)
_LOOPBACK = re.compile(r"localhost|[a-z0-9-]{1,63}\.localhost|127(\.[0-9]{1,3}){3}|\[::1\]", re.I)


def origin(address: str, portal_url: str) -> str | None:
    """The origin of an address that is near, None of any other. Backslashes and user names make it another."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return None
    near = _LOOPBACK.fullmatch(found["host"]) or found["origin"].lower() == portal_url.lower()
    return found["origin"] if near else None
