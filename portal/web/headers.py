"""The headers of every response: nothing loads from elsewhere, nothing is kept, nobody frames us unasked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from flask import Flask, Response, g, request
from werkzeug.exceptions import Forbidden

from portal import current
from portal.gateways import Origins

SHUT = Origins()
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "object-src": "'none'",
}
ALWAYS = {
    # Not no-referrer: forms would then post with `Origin: null`. This one never carries a path, so never a token.
    "Referrer-Policy": "strict-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(self)",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
# One exact origin; a loopback one may leave its port open. Whatever else an account's list held would be a hole.
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|http://(localhost|127\.0\.0\.1):\*")


def policy(origins: Iterable[str], opens: Origins = SHUT) -> str:
    """The Content-Security-Policy of a page that `origins` may frame, and that `opens` what a gateway needs."""
    return _policy(tuple(origins), opens)


@lru_cache(maxsize=1024)
def _policy(origins: tuple[str, ...], opens: Origins) -> str:
    ancestors = " ".join(origin for origin in origins if ORIGIN.fullmatch(origin)) or "'none'"
    wider = {f"{name}-src": " ".join(("'self'", *getattr(opens, name))) for name in ("script", "connect", "img")}
    if opens.frame:
        wider["frame-src"] = " ".join(opens.frame)
    return "; ".join(f"{name} {value}" for name, value in {**POLICY, **wider, "frame-ancestors": ancestors}.items())


# Static files say themselves how long they keep.
STATIC = {**ALWAYS, "Content-Security-Policy": policy([]), "X-Frame-Options": "DENY"}


def register(app: Flask) -> None:
    @app.after_request
    def complete(response: Response) -> Response:
        link = g.get("link")
        # What cannot be found looks the same under a link as without one.
        origins = link.embed_origins if link and response.status_code != 404 else []
        https = current.settings().base_url.startswith("https:")
        there = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - of pairs
        for name, value in page(origins, https=https, opens=g.get("opens", SHUT)).items():
            if name.lower() not in there:
                response.headers.add(name, value)
        return response


def page(origins: list[str], *, https: bool, opens: Origins = SHUT) -> dict[str, str]:
    """Those of a page that `origins` may frame. `opens`: on a page that pays, what its gateway needs."""
    found = {**ALWAYS, "Content-Security-Policy": policy(origins, opens), "Cache-Control": "no-store"}
    if opens.frame:
        framed = " ".join(f'"{origin}"' for origin in opens.frame)
        found["Permissions-Policy"] = found["Permissions-Policy"].replace("payment=(self)", f"payment=(self {framed})")
    if not origins:
        found["X-Frame-Options"] = "DENY"
    return found | HTTPS_ONLY if https else found


def refuse_strangers() -> None:
    """Lets a form through that our own page sent, or a browser too old to say. Raises Forbidden."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("This was sent from another site. Open the link again and try from there.")
