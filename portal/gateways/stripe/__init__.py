"""Stripe, through its own SDK: a payment is made and confirmed in one request, at the moment when somebody pays.

`orders` writes the request, `news` reads Stripe's objects, `faults` its refusals, `amounts` its units. What has been
seen against Stripe itself, and what has not, stands in docs/stripe.md.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import stripe
from stripe import RequestsClient, StripeClient

from portal.gateways import (
    Checkout,
    Gateway,
    Misconfigured,
    Name,
    Order,
    Origins,
    Payer,
    PaymentNews,
    RefundNews,
    Saved,
    Told,
    Unreachable,
    Unsigned,
)
from portal.gateways.stripe import amounts, faults, news, orders, signature

TIMEOUT_SECONDS = (5, 30)  # to connect, to answer: a card's bank may take its time
LONGEST_NAME = 256  # characters
LOOKED_THROUGH = 300  # payments, newest first, where Stripe's search does not know one yet
# Always from Stripe itself; its name is that of the API's version. Its signals against fraud would tell Stripe the
# addresses of our pages, and those are keys.
SCRIPT = f"https://js.stripe.com/{stripe.api_version.rpartition('.')[2]}/stripe.js?advancedFraudSignals=false"
# As Stripe documents for a Content-Security-Policy (docs.stripe.com/security/guide).
ORIGINS = Origins(
    script=("https://js.stripe.com", "https://*.js.stripe.com"),
    frame=("https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"),
    connect=("https://api.stripe.com",),
)


def open_gateway(settings: Any) -> Gateway:
    """Raises Misconfigured, naming the setting."""
    wanted = {
        "PORTAL_STRIPE_SECRET_KEY": settings.stripe_secret_key,
        "PORTAL_STRIPE_PUBLISHABLE_KEY": settings.stripe_publishable_key,
        "PORTAL_STRIPE_WEBHOOK_SECRETS": settings.stripe_webhook_secrets,
    }
    if missing := [name for name, value in wanted.items() if not value]:
        raise Misconfigured(f"Set {' and '.join(missing)}: PORTAL_GATEWAY is stripe. docs/stripe.md says where from.")
    key, public = settings.stripe_secret_key.get_secret_value(), settings.stripe_publishable_key
    live = key.startswith(("sk_live_", "rk_live_"))
    if live != public.startswith("pk_live_"):
        raise Misconfigured(
            "PORTAL_STRIPE_SECRET_KEY and PORTAL_STRIPE_PUBLISHABLE_KEY must both be live keys, or both test keys."
        )
    if live and settings.stripe_api_url:
        raise Misconfigured("Unset PORTAL_STRIPE_API_URL: it is for tests, and the keys are live.")
    secrets = [secret.get_secret_value() for secret in settings.stripe_webhook_secrets]
    return StripeGateway(key, public, secrets, stand_in=settings.stripe_api_url)


class StripeGateway:
    name: Name = "stripe"

    def __init__(self, key: str, public: str, secrets: Sequence[str], stand_in: str | None = None) -> None:
        # Else it keeps a file in the user's home, and tells Stripe about this machine.
        stripe.enable_telemetry = False
        logging.getLogger("stripe").setLevel(logging.WARNING)  # at "debug" it writes down what payers typed
        self.live = key.startswith(("sk_live_", "rk_live_"))
        self.origins = Origins((stand_in,), (stand_in,), (stand_in,)) if stand_in else ORIGINS
        self._public, self._secrets = public, tuple(secrets)
        self._script = f"{stand_in}/stripe.js" if stand_in else SCRIPT
        # It must not try again by itself: the worker does, with the same key, long after the payer has been answered.
        self._client = StripeClient(
            key,
            base_addresses={"api": stand_in} if stand_in else {},
            max_network_retries=0,
            http_client=RequestsClient(timeout=TIMEOUT_SECONDS),
        ).v1

    def serves(self, method: str, currency: str) -> bool:
        return amounts.serves(method, currency)

    def minimum(self, currency: str) -> int:
        return amounts.minimum(currency)

    def checkout(self, method: str, amount: int, currency: str) -> Checkout:
        values = {
            "script": self._script,
            "key": self._public,
            "method": method,
            "amount": str(amounts.nearest(amount, currency)),
            "currency": currency.lower(),
        }
        return Checkout(fields=(orders.TOKEN,), values=values)

    def start(self, order: Order) -> PaymentNews:
        params: Any = orders.request(order)
        with faults.in_our_words():
            try:
                made = self._client.payment_intents.create(params, {"idempotency_key": order.key})
            except stripe.CardError as error:
                return _declined(error)
            return news.payment(made.to_dict())

    def look(self, ref: str) -> PaymentNews:
        with faults.in_our_words():
            return news.payment(self._client.payment_intents.retrieve(ref, {"expand": orders.EXPANDED}).to_dict())

    def find(self, payment_id: str) -> PaymentNews | None:
        """Stripe's search is a minute behind, and not offered everywhere: so the newest are looked through as well."""
        with faults.in_our_words():
            for intent in self._candidates(payment_id):
                if intent["metadata"].get(news.PAYMENT_ID) == payment_id:
                    return self.look(intent["id"])
        return None

    def cancel(self, ref: str) -> PaymentNews:
        with faults.in_our_words():
            try:
                params: Any = {"cancellation_reason": "abandoned", "expand": orders.EXPANDED}
                return news.payment(self._client.payment_intents.cancel(ref, params).to_dict())
            except stripe.InvalidRequestError as error:
                if error.code == "resource_missing":
                    raise
        return self.look(ref)  # too late to be canceled

    def refund(self, refund_id: str, key: str, payment_ref: str, amount: int, currency: str) -> RefundNews:
        params: Any = {
            "payment_intent": payment_ref,
            "amount": amounts.to_stripe(amount, currency),
            "metadata": {news.REFUND_ID: refund_id},
        }
        with faults.in_our_words():
            made = self._client.refunds.create(params, {"idempotency_key": key})
            return news.refund(made.to_dict(), self.live)

    def payer(self, payer: Payer) -> str:
        if payer.ref:
            return payer.ref
        params: Any = {"name": payer.name[:LONGEST_NAME], "metadata": {"portal_customer_id": payer.id}}
        if payer.email:
            params["email"] = payer.email
        # A key stands for its parameters: whoever has moved meanwhile is another request.
        written = hashlib.sha256(f"{payer.name}\n{payer.email}".encode()).hexdigest()[:16]
        with faults.in_our_words():
            made = self._client.customers.create(params, {"idempotency_key": f"payer_{payer.id}_{written}"})
            return str(made.id)

    def saved(self, payer_ref: str) -> Sequence[Saved]:
        with faults.in_our_words():
            kept = self._client.customers.payment_methods.list(payer_ref, {"limit": 100})
            found = [news.saved(method.to_dict()) for method in kept.auto_paging_iter()]
        return [one for one in found if one]

    def forget(self, method_ref: str) -> None:
        with faults.in_our_words():
            try:
                self._client.payment_methods.detach(method_ref)
            except stripe.InvalidRequestError:
                if self._still_kept(method_ref):
                    raise

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Told:
        signature.check(headers, body, self._secrets, now)
        try:
            return news.told(json.loads(body))
        except faults.UNREADABLE as error:
            raise Unsigned(f"What was signed cannot be read ({type(error).__name__}).") from None

    def since(self, moment: datetime) -> Iterator[Told]:
        """Stripe keeps 30 days of them, and lists the newest first. Its moments are whole seconds.

        One that cannot be read does not hold up the others: it is named at the end, by Unreachable.
        """
        params: Any = {"created": {"gte": int(moment.timestamp())}, "types": list(news.TYPES), "limit": 100}
        unread = []
        with faults.in_our_words():
            events = [event.to_dict() for event in self._client.events.list(params).auto_paging_iter()]
        for event in reversed(events):
            try:
                told = news.told(event)
            except faults.UNREADABLE:
                unread.append(str(event.get("id")))
            else:
                yield told
        if unread:
            raise Unreachable(f"These events of Stripe cannot be read: {', '.join(unread)}.")

    def _candidates(self, payment_id: str) -> Iterable[dict[str, Any]]:
        try:
            query = f"metadata['{news.PAYMENT_ID}']:'{payment_id}'"
            found = self._client.payment_intents.search({"query": query, "limit": 1}).data
        except stripe.InvalidRequestError:
            found = []
        yield from (intent.to_dict() for intent in found)
        newest = self._client.payment_intents.list({"limit": 100}).auto_paging_iter()
        yield from (intent.to_dict() for intent in islice(newest, LOOKED_THROUGH))

    def _still_kept(self, method_ref: str) -> bool:
        try:
            return bool(self._client.payment_methods.retrieve(method_ref).to_dict().get("customer"))
        except stripe.InvalidRequestError as error:
            if error.code == "resource_missing":
                return False
            raise


def _declined(error: stripe.CardError) -> PaymentNews:
    """A decline is news. Raises Unreachable where Stripe does not say of which payment."""
    said = faults.body(error)
    intent = said.get("payment_intent")
    if not isinstance(intent, dict):
        raise Unreachable("Stripe declined, and did not say what.")
    # The answer of the payment itself may lag behind the error.
    known = {"status": "requires_payment_method"} if intent["status"] == "requires_confirmation" else {}
    return news.payment({**intent, **known, "last_payment_error": intent.get("last_payment_error") or said})
