"""Where templates and static files lie, inside the wheel in the package, in a checkout beside it; and what is built."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parent
HTMX = "vendor/htmx.min.js"  # in no repository: the build fetches it
LIBRARIES = ("babel", "jinja2", "flask", "orjson", "tzdata")  # that decide how something is written


def folder(name: str) -> Path:
    return next(path for path in (PACKAGE / name, PACKAGE.parent / name) if path.is_dir())


@cache
def fingerprint(name: str) -> str:
    """Eight characters that change when the static file does."""
    return hashlib.sha256((folder("static") / name).read_bytes()).hexdigest()[:8]


@cache
def build(gateway: str = "none") -> str:
    """A name for all that a page is rendered by: our code, templates, static files, libraries, and who moves money."""
    digest = hashlib.sha256(" ".join([gateway, *map(version, LIBRARIES)]).encode())
    for root, pattern in ((PACKAGE, "**/*.py"), (folder("templates"), "**/*.*"), (folder("static"), "**/*.*")):
        for path in sorted(root.glob(pattern)):
            digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()[:16]
