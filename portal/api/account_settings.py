"""What an account can be set to, each setting checked with a sentence that says what would do."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from stdnum import bic, iban
from stdnum.exceptions import ValidationError
from stdnum.us import rtn

from portal.api import errors
from portal.api.body import Address, Schema, TaxId
from portal.api.fields import Currency, Email, Line, Methods, MoneyText, Text, Timezone
from portal.domain import money
from portal.domain.methods import METHODS

MOST_ORIGINS = 50
MOST_BANK_ACCOUNTS = 20
MOST_REMINDERS = 20
LONGEST_NAME = 200
FURTHEST_DAYS = 3650
REMINDERS = (-60, 365)  # days before and after the due date
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
ACCOUNT_NUMBER = re.compile(r"[0-9A-Z]{4,34}")
ROUTING_NUMBER = re.compile(r"[0-9]{6,12}")
LOOPBACK = ("localhost", "127.0.0.1")
ANY_PORT = ("http://localhost:*", "http://127.0.0.1:*")  # while we are on this machine ourselves


def _color(text: str) -> str:
    if not COLOR.fullmatch(text):
        raise ValueError("must be a colour as #rrggbb, such as #0b5cad")
    return text.lower()


def _iban(text: str) -> str:
    try:
        return str(iban.validate(text))
    except ValidationError:
        raise ValueError("must be an IBAN whose length and check digits are right for its country") from None


def _bic(text: str) -> str:
    try:
        return str(bic.validate(text))
    except ValidationError:
        raise ValueError("must be a BIC of 8 or 11 characters, such as DEUTDEFF500") from None


def _account_number(text: str) -> str:
    compact = re.sub("[ -]", "", text).upper()
    if not ACCOUNT_NUMBER.fullmatch(compact):
        raise ValueError("must be an account number of 4 to 34 digits or letters")
    return compact


def _routing_number(text: str) -> str:
    compact = re.sub("[ -]", "", text)
    if not ROUTING_NUMBER.fullmatch(compact):
        raise ValueError("must be a routing number or sort code of 6 to 12 digits")
    return compact


def _not_negative(amount: Decimal) -> Decimal:
    if amount < 0:
        raise ValueError("must not be negative")
    return amount


def _whole_days(given: object) -> object:
    if isinstance(given, list) and all(isinstance(day, int) for day in given) and len(set(given)) < len(given):
        raise ValueError("must name each day once")
    return sorted(given) if isinstance(given, list) and all(type(day) is int for day in given) else given


def _no_null(given: object) -> object:
    if given is None:
        raise ValueError("must not be null")
    return given


def _true(given: object) -> object:
    if not isinstance(given, bool):
        raise ValueError("must be true: sessions only is turned on once, and for ever")
    return given


Set = BeforeValidator(_no_null)
Reminder = Annotated[int, Field(ge=REMINDERS[0], le=REMINDERS[1])]
Amount = Annotated[MoneyText, AfterValidator(_not_negative)]


class Company(Schema):
    name: Line | None = None
    address: Address | None = None
    tax_id: TaxId | None = None


class PartialPayments(Schema):
    allowed: bool = False
    minimum: Amount | None = None  # major units of the invoice's currency


class Limit(Schema):
    """What one payment by a method may come to, in major units of the invoice's currency."""

    minimum: Amount | None = None
    maximum: Amount | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("must have a minimum that is at most its maximum")
        return self


class BankAccount(Schema):
    """Where transfers in one currency go."""

    currency: Currency
    holder: Line
    iban: Annotated[str, AfterValidator(_iban)] | None = None
    account_number: Annotated[str, AfterValidator(_account_number)] | None = None
    routing_number: Annotated[str, AfterValidator(_routing_number)] | None = None
    bic: Annotated[str, AfterValidator(_bic)] | None = None

    @model_validator(mode="after")
    def _one_way_there(self) -> Self:
        local = (self.account_number, self.routing_number)
        if (self.iban is None) == (local == (None, None)) or (self.iban is None and None in local):
            raise ValueError("must have an iban, or an account_number and a routing_number")
        if self.currency == "USD" and self.routing_number and not rtn.is_valid(self.routing_number):
            raise ValueError("must have a routing_number of 9 digits with the right check digit (ABA)")
        return self


class Settings(Schema):
    """The settings that were sent; those that were not stay as they are."""

    accepted = frozenset({"id", "created_at", "mode", "number_prefix", "logo"})

    name: Annotated[Annotated[Line, Field(max_length=LONGEST_NAME)] | None, Set] = None
    company: Company | None = None
    support_email: Email | None = None
    accent_color: Annotated[Annotated[str, AfterValidator(_color)] | None, Set] = None
    timezone: Annotated[Timezone | None, Set] = None
    memo: Text | None = None
    footer: Text | None = None
    embed_origins: Annotated[Annotated[list[str], Field(max_length=MOST_ORIGINS)] | None, Set] = None
    payment_methods: Methods | None = None  # null: the default again
    payment_method_limits: Annotated[dict[Literal[METHODS], Limit] | None, Set] = None  # type: ignore[valid-type]  # the names are one tuple
    save_payment_method: Annotated[Literal["off", "optional", "required"] | None, Set] = None
    partial_payments: Annotated[PartialPayments | None, Set] = None
    bank_accounts: Annotated[Annotated[list[BankAccount], Field(max_length=MOST_BANK_ACCOUNTS)] | None, Set] = None
    reminders: Annotated[
        Annotated[list[Reminder], BeforeValidator(_whole_days), Field(max_length=MOST_REMINDERS)] | None, Set
    ] = None
    invoice_link_days_after_due: Annotated[Annotated[int, Field(ge=0, le=FURTHEST_DAYS)] | None, Set] = None
    refreshed_link_days: Annotated[Annotated[int, Field(ge=1, le=FURTHEST_DAYS)] | None, Set] = None
    hide_voided_invoices: Annotated[bool | None, Set] = None
    hide_zero_quantity_lines: Annotated[bool | None, Set] = None
    customer_portal_sessions_only: Annotated[bool | None, BeforeValidator(_true)] = None


def columns(given: Settings, company: dict[str, Any], *, loopback: bool) -> dict[str, Any]:
    """The account's columns for what was sent; `company` is what it has now. Raises Problem."""
    plain = given.model_dump(include=given.model_fields_set)
    if "company" in plain:
        plain["company"] = _company(given.company, company)
    if given.embed_origins is not None:
        plain["embed_origins"] = origins(given.embed_origins, loopback=loopback)
    if "partial_payments" in plain:
        plain["partial_payments"]["minimum"] = _text(plain["partial_payments"]["minimum"])
    if "payment_method_limits" in plain:
        plain["payment_method_limits"] = {
            method: {name: _text(amount) for name, amount in limit.items()}
            for method, limit in plain["payment_method_limits"].items()
        }
    return plain


def _company(given: Company | None, held: dict[str, Any]) -> dict[str, Any]:
    """Only what is named inside it changes; null takes a part away, and instead of all takes all."""
    if given is None:
        return {}
    both = {**held, **given.model_dump(include=given.model_fields_set)}
    return {name: value for name, value in both.items() if value is not None}


def origins(given: list[str], *, loopback: bool) -> list[str]:
    """The origins in their one spelling, each once. Raises Problem for one that is none."""
    found = [_origin(text, loopback, f"embed_origins.{position}") for position, text in enumerate(given)]
    return list(dict.fromkeys(found))


def _origin(text: str, loopback: bool, where: str) -> str:
    """`https://host` or `https://host:port`: what a browser says, and nothing that a header could be broken with."""
    local = " or, on this machine, http://localhost:3000" if loopback else ""
    if loopback and text.lower() in ANY_PORT:
        return text.lower()
    refused = errors.invalid(f"{where} must be an exact https origin, such as https://app.example.com{local}.")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise refused from None
    spelled = f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
    safe = parts.scheme == "https" or (loopback and parts.scheme == "http" and host in LOOPBACK)
    if not safe or not HOST.fullmatch(host) or port == 0 or text.lower() != spelled:
        raise refused
    usual = {"https": 443, "http": 80}[parts.scheme]
    return spelled.removesuffix(f":{usual}")


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else money.plain(amount)
