"""The page docs/sdk.md, made from what Orb's official client can call and what the app has on its map.

`python -m tests.sdk_table` writes it; a test holds it against the app.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from flask import Flask

from portal import api
from portal.api.absent import instead, missing
from portal.api.orb_calls import CALLS, OrbCall

PAGE = Path(__file__).parents[1] / "docs" / "sdk.md"
TEXT = """\
# Orb's official client, call by call

Of the {all} calls of `orb-billing` {version}, **{works} work** and **{rest} do not yet**. `make test` walks the client
and holds this page against the portal, so that it says what is so. A call that does not work yet answers 404 with the
type `404-feature-not-available` and says what to do instead; the client raises `orb.FeatureNotAvailable`. How each call
that works is asked and answered: [api.md](api.md), and `/docs/api` of any portal.

| call | address | works? |
|---|---|---|
{rows}
"""


def page(app: Flask) -> str:
    absent = set(missing(app))
    rows = [f"| `{one.name}` | `{one.method} /v1{one.path}` | {_said(one, absent)} |" for one in CALLS]
    works = len(CALLS) - len(absent)
    kind = ".".join(version("orb-billing").split(".")[:2])
    return TEXT.format(all=len(CALLS), version=kind, works=works, rest=len(absent), rows="\n".join(rows))


def _said(call: OrbCall, absent: set[OrbCall]) -> str:
    return f"not yet. {instead(call)}" if call in absent else "works"


if __name__ == "__main__":
    app = Flask("portal")
    api.register(app)
    PAGE.write_text(page(app))
