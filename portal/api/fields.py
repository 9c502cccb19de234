"""The kinds of field that bodies and queries share. Each refuses with the rest of a sentence: "<field> must be ..."."""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

import babel
import email_validator
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from typing_extensions import TypeAliasType

from portal.domain import money, periods, tax_ids
from portal.domain.methods import METHODS

# Addresses such as ap@acme.test are what trials and tests send from and to; nothing is delivered by being accepted.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

YEARS = range(1970, 3000)
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)([Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII)
OFFSET = re.compile(r"([Zz]|[+-]\d\d:?\d\d)$", re.ASCII)
COUNTRY = re.compile(r"[A-Z]{2}")
TAX_TYPE = re.compile(r"[a-z]{2}_[a-z0-9_]{1,28}")
MOST_KEYS = 100


def _one_line(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return _no_breaks(text)


def _no_breaks(text: str) -> str:
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in text):
        raise ValueError("must be one line without control characters")
    return text


def _email(text: str) -> str:
    try:
        return email_validator.validate_email(text, check_deliverability=False).normalized
    except email_validator.EmailNotValidError as error:
        raise ValueError(f"must be an e-mail address: {error}") from None


def _currency(text: str) -> str:
    money.exponent(text)
    return text


@cache
def _timezones() -> set[str]:
    return zoneinfo.available_timezones() - {"Factory", "localtime", "posixrules"}


def _timezone(text: str) -> str:
    if text not in _timezones():
        raise ValueError("must be a timezone of the IANA database, such as America/New_York")
    return text


def _locale(text: str) -> str:
    try:
        babel.Locale.parse(text.replace("-", "_"))
    except (ValueError, babel.UnknownLocaleError):
        raise ValueError("must be a language or a language and country, such as de or de-AT") from None
    return text


def _methods(names: list[str]) -> list[str]:
    unknown = [name for name in names if name not in METHODS]
    if unknown or len(set(names)) < len(names):
        raise ValueError(f"must be a list of some of {', '.join(METHODS)}, each once")
    return names


def _country(text: str) -> str:
    if not COUNTRY.fullmatch(text):
        raise ValueError("must be a country code of two capital letters, such as US")
    return text


def _tax_type(text: str) -> str:
    if not TAX_TYPE.fullmatch(text):
        raise ValueError("must be the type of a tax id, such as eu_vat or us_ein")
    return text


def _tax_country(text: str) -> str:
    if text not in tax_ids.COUNTRIES:
        raise ValueError("must be a country whose tax ids Orb knows, such as US; EU is one of them")
    return text


def _known_tax_type(text: str) -> str:
    if text not in tax_ids.TYPES:
        raise ValueError("must be a type of tax id that Orb knows, such as eu_vat or us_ein")
    return text


def _pairs(given: dict[str, str | None]) -> dict[str, str | None]:
    if len(given) > MOST_KEYS or any(
        not key or len(key) > 200 or len(value or "") > 2000 for key, value in given.items()
    ):
        raise ValueError(f"must have at most {MOST_KEYS} keys of 1 to 200 characters, with values of at most 2000")
    return given


def _money(given: object) -> Decimal:
    if not isinstance(given, str):
        raise ValueError('must be an amount as text, such as "12.50"')
    return money.number(given)


def _number(given: object) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, int | Decimal):
        raise ValueError("must be a number")
    return money.number(given)


def _either(given: object) -> Decimal:
    """A number, or the text of one: Orb's reference writes discounts in both ways."""
    return money.number(given) if isinstance(given, str) else _number(given)


def _moment(given: object) -> date | datetime:
    """A date, or an instant in UTC; one without an offset is UTC already."""
    found = MOMENT.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ValueError("must be a date or a timestamp, such as 2026-11-23 or 2026-11-23T12:00:00+00:00")
    day, time, zone = found.groups()
    try:
        value = datetime.fromisoformat(f"{day}T{time}{(zone or 'Z').upper()}") if time else date.fromisoformat(day)
    except ValueError:
        raise ValueError("must be a day and a time that exist") from None
    if not YEARS[0] <= value.year <= YEARS[-1]:
        raise ValueError(f"must lie between {YEARS[0]} and {YEARS[-1]}")
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _local(given: object) -> date | datetime:
    """As `_moment`, but a time without an offset is one where the customer lives: its day is the one it says."""
    value = _moment(given)
    naive = isinstance(value, datetime) and not OFFSET.search(str(given))
    return date.fromisoformat(str(given)[:10]) if naive else value


def _instant(given: object) -> datetime:
    value = _moment(given)
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)


def _second(given: object) -> datetime:
    """An instant that answers have shown without its fraction: all of its second, since the rows have one."""
    value = _instant(given)
    return value if value.microsecond else value.replace(microsecond=999_999)


def day_in(value: date | datetime, timezone: str) -> date:
    """The calendar day of a `Day` where the customer is."""
    return periods.local_day(value, timezone) if isinstance(value, datetime) else value


def instant_in(value: date | datetime, timezone: str) -> datetime:
    """The instant of a `Day`: of a mere date, its midnight where the customer is."""
    return value if isinstance(value, datetime) else periods.midnight(value, timezone)


def _shown(example: str | None = None, **keywords: Any) -> Any:
    """What the API's document says of a kind besides its type."""
    return Field(examples=[example] if example else None, json_schema_extra=keywords or None)


# What a value is turned into says nothing about how it is written; these do, for the API's own document.
AS_TEXT = WithJsonSchema({"type": "string", "pattern": money.PATTERN, "examples": ["12.50"]})
AS_NUMBER = WithJsonSchema({"type": "number", "examples": [2]})
AS_EITHER = WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": money.PATTERN}]})
AS_DAY = WithJsonSchema({"type": "string", "pattern": f"^{MOMENT.pattern}$", "examples": ["2026-11-23"]})
AS_INSTANT = WithJsonSchema(
    {"type": "string", "pattern": f"^{MOMENT.pattern}$", "examples": ["2026-11-23T12:00:00+00:00"]}
)

Line = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_one_line)]
AddressLine = Annotated[str, StringConstraints(max_length=500), AfterValidator(_no_breaks)]  # may be empty
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_one_line)]
Text = Annotated[str, StringConstraints(max_length=5000)]  # may have lines
Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email), _shown(format="email")]
# Named, so that the document lists the codes once.
Currency = TypeAliasType(
    "Currency", Annotated[str, AfterValidator(_currency), _shown("USD", enum=sorted(money.EXPONENTS))]
)
Timezone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_timezone), _shown("America/New_York")]
LocaleName = Annotated[str, StringConstraints(max_length=16), AfterValidator(_locale), _shown("en-US")]
Methods = Annotated[list[str], AfterValidator(_methods), _shown(items={"type": "string", "enum": list(METHODS)})]
Country = Annotated[str, AfterValidator(_country), _shown("US", pattern=f"^{COUNTRY.pattern}$")]
TaxType = Annotated[str, AfterValidator(_tax_type), _shown("eu_vat", pattern=f"^{TAX_TYPE.pattern}$")]
TaxCountry = Annotated[str, AfterValidator(_tax_country), _shown("US", enum=tax_ids.COUNTRIES)]
KnownTaxType = Annotated[str, AfterValidator(_known_tax_type), _shown("eu_vat", enum=tax_ids.TYPES)]
Metadata = Annotated[dict[str, str | None], AfterValidator(_pairs), _shown(maxProperties=MOST_KEYS)]
MoneyText = Annotated[Decimal, BeforeValidator(_money), AS_TEXT]  # a JSON string
WireNumber = Annotated[Decimal, BeforeValidator(_number), AS_NUMBER]  # a JSON number
EitherNumber = Annotated[Decimal, BeforeValidator(_either), AS_EITHER]  # or its text
When = Annotated[datetime, BeforeValidator(_instant), AS_INSTANT]  # a date is its midnight in UTC
WholeSecond = Annotated[datetime, BeforeValidator(_second), AS_INSTANT]  # after it, or up to it
Day = Annotated[date | datetime, BeforeValidator(_moment), AS_DAY]  # a date, or an instant: its day is the customer's
LocalDay = Annotated[date | datetime, BeforeValidator(_local), AS_DAY]  # without an offset: where the customer lives


def merged(held: dict[str, str], given: dict[str, str | None] | None) -> dict[str, str]:
    """Metadata after a change: null takes a key away, and instead of all takes all."""
    if given is None:
        return {}
    both: dict[str, Any] = {**held, **given}
    return {key: value for key, value in both.items() if value is not None}
