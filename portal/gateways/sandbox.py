"""The gateway that moves no money: a client of `portal sandbox`, for the demo and for tests."""

from __future__ import annotations

import hmac
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

import requests
from pydantic import TypeAdapter

from portal.gateways import (
    FAILURES,
    Checkout,
    DisputeNews,
    MethodNews,
    Name,
    Order,
    Origins,
    Payer,
    PaymentNews,
    RefundNews,
    Refused,
    Saved,
    Told,
    Unreachable,
    Unsigned,
)
from portal.secret_store import derived_secret

Read = TypeVar("Read")
OUTCOME = "sandbox_outcome"  # the field of the form that says how the payment is to end
OUTCOMES = {
    "card": ("4242", "0002", "9995", "0069", "3155", "0341"),
    "us_bank_account": ("settles", "fails", "returned", "micro_deposits"),
    "sepa_debit": ("settles", "fails", "returned"),
}
ONLY_IN = {"us_bank_account": "USD", "sepa_debit": "EUR"}
THREE_DECIMALS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
TIMEOUTS = (2, 10)  # seconds: to connect, and to wait for an answer
PAGE = 100  # events asked for at once
# What the sandbox says has the shape of our news, and is checked against it.
NEWS: dict[str, TypeAdapter[Any]] = {
    "payment": TypeAdapter(PaymentNews),
    "refund": TypeAdapter(RefundNews),
    "dispute": TypeAdapter(DisputeNews),
    "method": TypeAdapter(MethodNews),
}
SAVED = TypeAdapter(Saved)
SIGNATURE = "Portal-Sandbox-Signature"
TOLERANCE = timedelta(minutes=5)
_SIGNED = re.compile(r"t=([0-9]{1,11}),v1=([0-9a-f]{64})")
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Answers after which it is not sure that nothing was made: our key may not be the sandbox's, or be used for another.
_UNSURE = {401, 403, 408, 409, 429}


class Sandbox:
    name: Name = "sandbox"
    live = False
    origins = Origins()

    def __init__(self, address: Callable[[], str], key: str, webhook_secret: str) -> None:
        self._address = address
        self._key = key
        self._webhook_secret = webhook_secret.encode()
        self._threads = threading.local()

    def serves(self, method: str, currency: str) -> bool:
        return method in OUTCOMES and ONLY_IN.get(method, currency) == currency

    def minimum(self, currency: str) -> int:
        """50 of the smallest coin that people count in."""
        return 500 if currency in THREE_DECIMALS else 50

    def checkout(self, method: str, amount: int, currency: str) -> Checkout:
        return Checkout((OUTCOME,), {"outcomes": " ".join(OUTCOMES.get(method, ()))})

    def start(self, order: Order) -> PaymentNews:
        payer = order.payer
        asked = {
            "payment_id": order.payment_id,
            "amount": order.amount,
            "currency": order.currency,
            "method": order.method,
            "outcome": order.details.get(OUTCOME, ""),
            "saved": order.saved_ref,
            "saves": order.saves,
            "present": order.present,
            "payer": {"id": payer.id, "name": payer.name, "email": payer.email},
            "reference": order.reference,
            "notify_url": order.notify_url,
        }
        return _payment(self._ask("POST", "/v1/payments", asked, key=order.key))

    def look(self, ref: str) -> PaymentNews:
        return _payment(self._ask("GET", f"/v1/payments/{_segment(ref)}"))

    def find(self, payment_id: str) -> PaymentNews | None:
        found = self._list("/v1/payments", {"payment_id": payment_id})
        return _payment(found[0]) if found else None

    def cancel(self, ref: str) -> PaymentNews:
        return _payment(self._ask("POST", f"/v1/payments/{_segment(ref)}/cancel", {}))

    def refund(self, refund_id: str, key: str, payment_ref: str, amount: int, currency: str) -> RefundNews:
        asked = {"refund_id": refund_id, "payment": payment_ref, "amount": amount, "currency": currency}
        return _read(NEWS["refund"].validate_python, self._ask("POST", "/v1/refunds", asked, key=key))

    def payer(self, payer: Payer) -> str:
        asked = {"id": payer.id, "name": payer.name, "email": payer.email}
        return _read(lambda body: str(body["ref"]), self._ask("POST", "/v1/payers", asked))

    def saved(self, payer_ref: str) -> Sequence[Saved]:
        return [
            _read(SAVED.validate_python, one) for one in self._list(f"/v1/payers/{_segment(payer_ref)}/methods", {})
        ]

    def forget(self, method_ref: str) -> None:
        try:
            self._ask("DELETE", f"/v1/methods/{_segment(method_ref)}")
        except Refused as refused:
            if refused.failure != "gone":
                raise

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Told:
        given = next((value for name, value in headers.items() if name.lower() == SIGNATURE.lower()), "")
        signed = _SIGNED.fullmatch(given)
        if signed is None:
            raise Unsigned(f"{SIGNATURE} is missing or malformed.")
        at, signature = signed.groups()
        expected = hmac.digest(self._webhook_secret, f"{at}.".encode() + body, "sha256").hex()
        if not hmac.compare_digest(expected, signature):
            raise Unsigned("The signature is not the sandbox's.")
        if abs(now - (_EPOCH + timedelta(seconds=int(at)))) > TOLERANCE:
            raise Unsigned("The signature is older, or newer, than 5 minutes.")
        try:
            return _told(json.loads(body))
        except UNREADABLE as error:
            raise Unsigned("What was signed cannot be read.") from error

    def since(self, moment: datetime) -> Iterator[Told]:
        after = (moment - _EPOCH) // timedelta(microseconds=1)
        while page := self._list("/v1/events", {"after": str(after), "limit": str(PAGE)}):
            yield from (_read(_told, event) for event in page)
            after = _read(lambda event: int(event["at"]), page[-1])

    def _ask(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._key}"} | ({"Idempotency-Key": key} if key else {})
        try:
            answer = self._session().request(
                verb, f"{self._address()}{path}", json=body, params=query, headers=headers, timeout=TIMEOUTS
            )
            told = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise Unreachable(f"The sandbox did not answer ({type(error).__name__}).") from error
        if answer.ok:
            return told
        said = told.get("error") if isinstance(told, dict) else None
        if answer.status_code >= 500 or answer.status_code in _UNSURE or not isinstance(said, dict):
            raise Unreachable(f"The sandbox answered {answer.status_code}: {said}.")
        failure = said.get("failure")
        raise Refused(str(said.get("message")), failure if failure in FAILURES else "unknown")

    def _list(self, path: str, query: Mapping[str, str]) -> list[Any]:
        return _read(lambda body: list(body["data"]), self._ask("GET", path, query=query))

    def _session(self) -> requests.Session:
        """One a thread: a session is not made to be shared."""
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = requests.Session()
            session.trust_env = False  # no proxy lies between, and no .netrc has a say
        return session


def open_gateway(settings: Any) -> Sandbox:
    """The sandbox that these settings lead to (`config.Settings`); its secrets come of our own."""
    return Sandbox(
        lambda: str(settings.sandbox_address),
        derived_secret(settings, "sandbox api"),
        derived_secret(settings, "sandbox webhooks"),
    )


def _told(event: Any) -> Told:
    data = event["data"]
    reader = NEWS.get(data["object"])
    at = _EPOCH + timedelta(microseconds=int(event["at"]))
    return Told(str(event["id"]), at, str(event["type"]), reader.validate_python(data) if reader else None)


def _payment(body: Any) -> PaymentNews:
    return _read(NEWS["payment"].validate_python, body)


def _read(reader: Callable[[Any], Read], body: Any) -> Read:
    try:
        return reader(body)
    except UNREADABLE as error:
        raise Unreachable("The sandbox answered something that cannot be read.") from error


def _segment(ref: str) -> str:
    """A ref as one segment of a path."""
    return quote(ref, safe="", errors="replace")
