"""The operator's face: name, contact, logo and colour, on every page behind its links."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import NotFound

from portal.models.account import Logo
from portal.models.opening import Opened

COLOR = re.compile(r"[0-9a-f]{6}")
DIGEST = re.compile(r"[0-9a-f]{64}")
PLAIN = "0b5cad"
PAPER, NIGHT = "ffffff", "171a20"  # what the pages of portal.css are printed on, by day and by night
READABLE = 4.5  # WCAG 2.2, contrast of text
FOR_EVER = "public, max-age=31536000, immutable"  # seconds; the address names the content


@dataclass(frozen=True, slots=True)
class Brand:
    name: str
    contact: str | None  # an e-mail address
    colors: str  # the address of a stylesheet
    logo: str | None  # the address of a picture
    test: bool


def of(link: Opened) -> Brand:
    color = link.accent_color.lower().removeprefix("#")
    root = f"{request.script_root}/brand"
    return Brand(
        name=link.account_name,
        contact=link.support_email,
        colors=f"{root}/{color if COLOR.fullmatch(color) else PLAIN}.css",
        logo=f"{root}/{link.logo}.png" if link.logo else None,
        test=link.account_mode == "test",
    )


def register(app: Flask) -> None:
    app.add_url_rule("/brand/<color>.css", "brand.colors", colors)
    app.add_url_rule("/brand/<digest>.png", "brand.logo", logo)
    app.add_url_rule("/robots.txt", "brand.robots", robots)


def colors(color: str) -> Response:
    """The stylesheet of one colour. Any colour has one, so that it says nothing about who uses it."""
    if not COLOR.fullmatch(color):
        raise NotFound
    shades = {"accent": color, "on": _against(color), "day": _readable(color, PAPER), "night": _readable(color, NIGHT)}
    return _kept(make_response(render_template("brand/colors.css", **shades)), "text/css; charset=utf-8")


def logo(digest: str) -> Response:
    """A logo, under the name of its content."""
    found = Logo.select().where(Logo.digest == digest).first() if DIGEST.fullmatch(digest) else None
    if found is None:
        raise NotFound
    return _kept(make_response(bytes(found.png)), "image/png")


def robots() -> Response:
    """Nothing behind a link is for finding."""
    response = make_response("User-agent: *\nDisallow: /i/\nDisallow: /c/\nDisallow: /s/\n")
    response.content_type = "text/plain; charset=utf-8"
    return response


def _kept(response: Response, content_type: str) -> Response:
    response.content_type = content_type
    response.headers["Cache-Control"] = FOR_EVER
    return response


def _against(color: str) -> str:
    """Black or white, whichever reads better on `color`."""
    return max(("ffffff", "000000"), key=lambda ink: _contrast(ink, color))


def _readable(color: str, ground: str) -> str:
    """`color`, moved away from `ground` just as far as text in it needs."""
    goal = 0 if _luminance(ground) > 0.5 else 255
    parts = _parts(color)
    for step in range(21):
        shade = "".join(f"{part + (goal - part) * step // 20:02x}" for part in parts)
        if _contrast(shade, ground) >= READABLE:
            return shade
    return shade


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    """As WCAG has it, from 0 (black) to 1 (white)."""
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in _shares(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _shares(color: str) -> list[float]:
    return [part / 255 for part in _parts(color)]


def _parts(color: str) -> list[int]:
    return [int(color[at : at + 2], 16) for at in (0, 2, 4)]
