"""How values look to people: in the customer's way of writing numbers and dates, exact to the last digit."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, get_datetime_format
from babel.numbers import NumberPattern, format_compact_decimal, format_decimal, parse_pattern
from flask import Flask, g, request

from portal import assets
from portal.documents.address import written
from portal.domain.money import exponent
from portal.web import brand

PLAIN = "en_US"
SAID = 20_000  # numbers and days that are kept as text, a process


def register(app: Flask) -> None:
    shown = {
        "address": address,
        "day": day,
        "instant": instant,
        "lines": lines,
        "money": money,
        "percent": percent,
        "quantity": quantity,
        "short": short,
        "short_day": short_day,
        "tax_number": tax_number,
        "unit_price": unit_price,
    }
    app.jinja_env.filters.update(shown)
    app.jinja_env.globals.update(to=to, asset=asset)
    app.context_processor(lambda: {"brand": brand.of(g.link) if g.get("link") else None})


# Addresses


def to(tail: str = "", **query: Any) -> str:
    """The relative address of `tail`, counted from the link's own page: it works from every page and holds no token."""
    below = request.path.split("/", 3)[3:]  # what stands behind /<kind>/<token>/
    up = "../" * (below[0].count("/") if below else 0)
    asked = {name: value for name, value in query.items() if value not in (None, "")}
    return (up or "./") + quote(tail, safe="/") + (f"?{urlencode(asked)}" if asked else "")


def asset(name: str) -> str:
    """The address of a static file, which changes when the file does."""
    return f"{request.script_root}/static/{name}?v={assets.fingerprint(name)}"


# Numbers


def money(minor: int, currency: str, locale: str | None = None) -> str:
    """1250 in USD is $12.50: all decimals that ISO 4217 gives the currency, whatever a locale's habit."""
    digits = exponent(currency)
    return _price(Decimal(minor).scaleb(-digits), currency, digits, _named(locale))


def unit_price(amount: str | Decimal, currency: str, locale: str | None = None) -> str:
    """A price or an unrounded amount in major units, with all its decimals and at least the currency's."""
    value = Decimal(amount)
    return _price(value, currency, max(exponent(currency), _decimals(value)), _named(locale))


def quantity(amount: str | Decimal, locale: str | None = None) -> str:
    return _number(str(amount), _named(locale))


def short(amount: Decimal, locale: str | None = None) -> str:
    """A round number for the side of a chart: 12500 is 12.5K."""
    return quantity(amount, locale) if abs(amount) < 1000 else _compact(amount, _named(locale))


def percent(share: str | Decimal, locale: str | None = None) -> str:
    """A share between 0 and 1 as a percentage, exact."""
    return f"{quantity(format((Decimal(share) * 100).normalize(), 'f'), locale)}%"


# A page says the same numbers and days again and again, and Babel takes its time for each: so what was said is kept.


@lru_cache(maxsize=SAID)
def _price(value: Decimal, currency: str, digits: int, locale: str) -> str:
    known = _known(locale)
    return _isolated(_pattern(locale, digits).apply(value, known, currency=currency, currency_digits=False), known)


@lru_cache(maxsize=SAID)
def _number(amount: str, locale: str) -> str:
    known = _known(locale)
    return _isolated(format_decimal(Decimal(amount), locale=known, decimal_quantization=False), known)


@lru_cache(maxsize=SAID)
def _compact(amount: Decimal, locale: str) -> str:
    return str(format_compact_decimal(amount, locale=_known(locale), fraction_digits=1))


@cache
def _pattern(locale: str, digits: int) -> NumberPattern:
    pattern = parse_pattern(_known(locale).currency_formats["standard"].pattern)
    pattern.frac_prec = (digits, digits)
    return pattern


def _decimals(value: Decimal) -> int:
    found = value.normalize().as_tuple().exponent
    return max(-found, 0) if isinstance(found, int) else 0


# Days


def day(value: date | str | None, locale: str | None = None) -> str:
    return "" if value is None else _day(str(value), _named(locale))


def short_day(value: date, locale: str | None = None) -> str:
    """Day and month, for the foot of a chart."""
    return _short_day(value, _named(locale))


def instant(value: datetime | None, timezone: str, locale: str | None = None) -> str:
    """A moment on the customer's clock."""
    known = _known(_named(locale))
    if value is None:
        return ""
    day = format_date(value.astimezone(ZoneInfo(timezone)), "medium", known)
    time = format_time(value, "short", ZoneInfo(timezone), known)
    return _isolated(str(get_datetime_format("medium", known)).replace("{0}", time).replace("{1}", day), known)


@lru_cache(maxsize=SAID)
def _day(value: str, locale: str) -> str:
    known = _known(locale)
    return _isolated(format_date(date.fromisoformat(value), "medium", known), known)


@lru_cache(maxsize=SAID)
def _short_day(value: date, locale: str) -> str:
    return str(format_skeleton("MMMd", value, locale=_known(locale)))


# Text


def lines(text: str | None) -> list[str]:
    """The lines of a text that somebody typed."""
    return (text or "").splitlines()


def address(value: Any, locale: str | None = None) -> list[str]:
    """The lines of an address, however it was given: as text, or in parts, which its own country puts in order."""
    if not isinstance(value, dict):
        return lines(value)
    return [*written(value), *filter(None, [_country(value.get("country"), locale)])]


def tax_number(value: Any) -> str:
    """A tax id as people write it: the country first, unless the id itself begins with it."""
    if not isinstance(value, dict):
        return value or ""
    country, number = value.get("country") or "", value.get("value") or ""
    return str(number if number.upper().startswith(country.upper()) else f"{country} {number}")


def _country(code: str | None, locale: str | None) -> str:
    return str(_known(_named(locale)).territories.get((code or "").upper(), code or ""))


def language(locale: str | None = None) -> Locale:
    """What was asked for, or else the language of whoever follows the link."""
    return _known(_named(locale))


def _isolated(text: str, locale: Locale) -> str:
    """`text`, kept in its own order where it reads from right to left inside our left-to-right sentences."""
    return f"\u2068{text}\u2069" if locale.text_direction == "rtl" else text


def _named(locale: str | None) -> str:
    """The language that was asked for, or else the one of whoever follows the link."""
    if locale:
        return locale
    link = g.get("link")
    return (link.locale if link else None) or PLAIN


@cache
def _known(name: str) -> Locale:
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(PLAIN)
