"""Where templates and static files lie: inside the wheel in the package, in a checkout beside it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    return next(path for path in (PACKAGE / name, PACKAGE.parent / name) if path.is_dir())


@cache
def fingerprint(name: str) -> str:
    """Eight characters that change when the static file does."""
    return hashlib.sha256((folder("static") / name).read_bytes()).hexdigest()[:8]
