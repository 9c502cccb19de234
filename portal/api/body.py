"""A request's body and query, read once against a schema: what is not in it is refused, and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from flask import g, request
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from portal.api import errors, strict_json
from portal.api.fields import AddressLine, Country, KnownTaxType, Line, TaxCountry, TaxType

MOST_ERRORS = 20  # told at once
QUOTE = '"'
SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "string_too_long": "may have at most {max_length} characters",
    "string_too_short": "must not be empty",
    "too_long": "may have at most {max_length} entries",
    "too_short": "must have at least {min_length}",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
}


def _with_accepted(document: dict[str, Any], schema: Any) -> None:
    """Names in the API's document what a schema takes without effect."""
    for name in sorted(schema.accepted):
        document.setdefault("properties", {}).setdefault(name, {"x-without-effect": True})


class Schema(BaseModel):
    """What a body may hold. `accepted`: further fields of Orb's, taken without effect."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=False, json_schema_extra=_with_accepted)
    accepted: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _without_effect(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if name not in cls.accepted}

    def given(self) -> dict[str, Any]:
        """The fields that the caller wrote, null or not; absent ones are missing here too."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Query(Schema):
    """What a query string may hold. `many`: names that may come more than once, as `name[]=a&name[]=b` or bare."""

    model_config = ConfigDict(extra="forbid", strict=False)
    many: ClassVar[frozenset[str]] = frozenset()


class Address(Schema):
    line1: AddressLine | None = None
    line2: AddressLine | None = None
    city: AddressLine | None = None
    state: AddressLine | None = None
    postal_code: AddressLine | None = None
    country: Country | None = None


class TaxId(Schema):
    country: Country
    type: TaxType
    value: Line


class CustomerTaxId(TaxId):
    """As `TaxId`, of a country and kind that Orb's clients can read back."""

    country: TaxCountry
    type: KnownTaxType


T = TypeVar("T")
S = TypeVar("S", bound=Schema)
Q = TypeVar("Q", bound=Query)


def body(schema: type[S]) -> S:
    """The request's body, whatever its content type claims. Raises Problem."""
    data = request.get_data(cache=True)
    # The official client sends an empty body, as JSON, with every POST that has no parameters.
    value = _strict(strict_json.loads, data) if data else {}
    if not isinstance(value, dict):
        raise errors.invalid("The body must be a JSON object.")
    return read(schema, value)


def query(schema: type[Q]) -> Q:
    """The request's query string. Raises Problem."""
    g.query_was_read = True
    given: dict[str, Any] = {}
    for name, values in request.args.lists():
        texts = [_strict(strict_json.clean, text) for text in values]
        bare = name.removesuffix("[]")
        if bare in schema.many:
            given[bare] = [*given.get(bare, []), *texts]
        elif len(texts) > 1:
            raise errors.invalid(f"{_short(name)} may be given once.")
        else:
            given[name] = texts[0]
    return read(schema, given)


def refuse_unread_query() -> None:
    """After a view that looked at no query: there was nothing to say in one. Raises Problem."""
    if request.args and "query_was_read" not in g:
        query(Query)


def _strict(read: Callable[[T], Any], text: T) -> Any:
    try:
        return read(text)
    except strict_json.Ambiguous as error:
        raise errors.invalid(str(error)) from None


def read(schema: type[S], value: dict[str, Any]) -> S:
    """`value` as `schema` has it. Raises Problem, with a sentence for each field that is wrong."""
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:MOST_ERRORS]
        sentences = list(dict.fromkeys(map(_sentence, found)))
        raise errors.invalid(" ".join(sentences), sentences) from None


def _sentence(error: Any) -> str:
    said = SENTENCES.get(error["type"], "cannot be used: {msg}").format(msg=error["msg"], **error.get("ctx", {}))
    return (
        f"{_short('.'.join(map(str, error['loc'])))}{':' if said.startswith(QUOTE) else ''} {said.removesuffix('.')}."
    )


def _short(name: str) -> str:
    return name[:100]
