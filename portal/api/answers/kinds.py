"""The kinds of value that answers are made of, each as it is written on the wire, with an example."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from portal.domain import money

T = TypeVar("T")


def _open(document: dict[str, Any]) -> None:
    """Answers may grow: that there is nothing else in them is what our tests hold to, and no promise."""
    document.pop("additionalProperties", None)


class Answer(BaseModel):
    """An object in an answer. Every key is always there; what has no value is null."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra=_open)


def said(what: str, example: Any = None, **more: Any) -> Any:
    """A field's meaning, and an example where its kind's own would mislead."""
    known: dict[str, Any] = {"description": what or None, "examples": None if example is None else [example]}
    return Field(**{name: value for name, value in known.items() if value is not None}, **more)


def text(pattern: str, example: str, what: str = "", **keywords: Any) -> Any:
    """Text of one form."""
    return said(what, example, pattern=pattern, json_schema_extra=keywords or None)


Id = Annotated[str, text("^[0-9A-Za-z]{1,32}$", "XimGiw3pnsgusvc3")]
Stamp = Annotated[
    str,
    text(
        r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$", "2026-11-23T12:00:00+00:00", "An instant in UTC.",
        format="date-time",
    ),
]  # fmt: skip
Money = Annotated[str, text(money.PATTERN, "40.00", "An amount in major units, as text.")]
UnitPrice = Annotated[str, text(money.PATTERN, "0.00042", "A price of one, in major units, as exact as it was given.")]
Share = Annotated[str, text(money.PATTERN, "8.875", "A share of a hundred, as text.")]
Url = Annotated[str, text("^https?://", "https://pay.acme.example/i/eyJ…/")]
Country = Annotated[str, text("^[A-Z]{2}$", "US")]
Currency = Annotated[str, text("^[A-Z]{3}$", "USD", "ISO 4217, or `credits`.")]
# An exact number; never read into a float here.
Number = Annotated[Decimal, WithJsonSchema({"type": "number", "examples": [2]})]
Count = Annotated[int, Field(ge=0)]
Pairs = Annotated[dict[str, str], Field(examples=[{"team": "north"}])]
Nothing = Annotated[None, Field(description="Always null here.")]


class Named(Answer):
    id: Id


class Pagination(Answer):
    has_more: bool
    next_cursor: str | None = said("The `cursor` of the next page; null on the last one.")


class Page(Answer, Generic[T]):
    """One page of a list, newest first."""

    data: list[T]
    pagination_metadata: Pagination


class Address(Answer):
    line1: str | None = said("Street and number.", "1 Main Street")
    line2: str | None
    city: str | None = said("", "New York")
    state: str | None = said("", "NY")
    postal_code: str | None = said("", "10001")
    country: Country | None


class TaxId(Answer):
    country: Country
    type: str = said("Which kind of number it is.", "us_ein")
    value: str = said("", "12-3456789")
