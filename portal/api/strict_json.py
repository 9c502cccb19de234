"""JSON that means one thing only: what two readers could read differently is refused, and numbers stay exact."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

DEEPEST = 20
LONGEST_NUMBER = 48  # characters: two sides of a point, a sign, an exponent
WIDEST_EXPONENT = 24
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
BRACKET = re.compile(r"[\[\]{}]")
OPEN_AND_CLOSE = bytes.maketrans(b"[{]}", b"(())")
NO_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # not tab, line feed and carriage return


class Ambiguous(ValueError):
    """Not JSON, or JSON that readers differ about. The message is a sentence for the caller."""


def loads(data: bytes) -> Any:
    """The value that `data` writes; text as NFC, fractions as Decimal. Raises Ambiguous."""
    # In ASCII without these two, text is what stands between its quotes: nothing in it needs to be looked at again.
    if data.isascii() and b"\\" not in data and b"\x7f" not in data:
        _refuse_depth_of_plain(data)
        return _parsed(data.decode("ascii"), _plain_object)
    return carefully(data)


def carefully(data: bytes) -> Any:
    """The same of any body, not only of plain ones."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Ambiguous("The body must be JSON in UTF-8.") from None
    _refuse_depth(text)
    return _clean(_parsed(text, _object))


def _parsed(text: str, made: Callable[[list[tuple[str, Any]]], dict[str, Any]]) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=made, parse_float=_number, parse_int=_integer, parse_constant=_constant
        )
    except json.JSONDecodeError as error:
        raise Ambiguous(f"The body is not JSON: {error.msg} at character {error.pos}.") from None


def clean(text: str) -> str:
    """`text` as NFC. Raises Ambiguous for what is no text: half a character, or a control character."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Ambiguous("Text must not hold one half of a surrogate pair.")
    if CONTROL.search(text):
        raise Ambiguous("Text must not hold control characters.")
    return unicodedata.normalize("NFC", text)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean(part) for part in value]
    return {name: _clean(part) for name, part in value.items()} if isinstance(value, dict) else value


def _refuse_depth(text: str) -> None:
    # Before parsing: the parser answers ten thousand brackets with an error of its own kind.
    depth = 0
    for bracket in BRACKET.finditer(STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > DEEPEST:
            raise Ambiguous(f"The body is nested more than {DEEPEST} levels deep.")


def _refuse_depth_of_plain(data: bytes) -> None:
    marks = data.translate(OPEN_AND_CLOSE, NO_MARKS)
    levels = marks.replace(b'""', b"")
    if b'"' in levels:  # brackets within a text: without escapes, every second quote ends one
        levels = b"".join(marks.split(b'"')[::2])
    for _ in range(DEEPEST):  # each round takes the innermost level away
        levels = levels.replace(b"()", b"")
    if levels:  # or they do not match, which is told there or by the parser
        _refuse_depth(data.decode("ascii"))


def _plain_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _object(pairs)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        name = clean(name)
        if name in found:
            raise Ambiguous(f"The body names {name[:60]!r} twice.")
        found[name] = value
    return found


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise Ambiguous(f"A number may have at most {LONGEST_NUMBER} characters.")
    return int(text)


def _number(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise Ambiguous(f"A number may have at most {LONGEST_NUMBER} characters.")
    if "e" in text or "E" in text:
        _, _, exponent = text.lower().partition("e")
        if abs(int(exponent)) > WIDEST_EXPONENT:
            raise Ambiguous(f"The exponent of a number must be from -{WIDEST_EXPONENT} to {WIDEST_EXPONENT}.")
    return Decimal(text)


def _constant(text: str) -> Any:
    raise Ambiguous(f"{text} is not a JSON number.")
