"""What the SDK sends to Stripe for each thing that we ask, to the last parameter, and what becomes of the answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.config import Settings
from portal.gateways import (
    Action,
    Gateway,
    Misconfigured,
    Order,
    Payer,
    Refused,
    Saved,
    Unreachable,
    open_gateway,
)
from portal.serve import listen, serve
from tests.gateways import stripe_double
from tests.gateways.stripe_double import Double
from tests.gateways.stripe_shapes import (
    charge,
    declined,
    event,
    expanded,
    intent,
    listed,
    method,
    refund,
    refused,
)

ORDER = Order(
    payment_id="pay_1",
    key="pay_1",
    amount=12500,
    currency="USD",
    method="card",
    details={"confirmation_token": "ctoken_1Nn"},
    saved_ref=None,
    saves=False,
    present=True,
    payer=Payer("cust_1", "cus_1", "Acme", "ann@acme.example"),
    reference="A-1",
    notify_url="http://127.0.0.1:8000/webhooks/stripe",
)
EVERY_PAYMENT = {
    "amount": "12500",
    "currency": "usd",
    "payment_method_types[0]": "card",
    "confirm": "true",
    "customer": "cus_1",
    "description": "A-1",
    "metadata[portal_payment_id]": "pay_1",
    "expand[0]": "latest_charge",
    "expand[1]": "payment_method",
}
SETTINGS = {
    "gateway": "stripe",
    "stripe_secret_key": "sk_test_hush",
    "stripe_publishable_key": "pk_test_seen",
    "stripe_webhook_secrets": "whsec_hush",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Double]:
    with stripe_double.running() as double:
        yield double


@pytest.fixture
def double(server: Double) -> Double:
    server.forget()
    return server


@pytest.fixture
def stripe(double: Double) -> Gateway:
    return opened(stripe_api_url=double.url)


# Paying


def test_a_card_is_charged_in_one_request_with_what_the_form_brought(stripe: Gateway, double: Double) -> None:
    double.will(expanded())

    news = stripe.start(ORDER)

    (asked,) = double.asked
    assert (asked.method, asked.path) == ("POST", "/v1/payment_intents")
    assert asked.params == EVERY_PAYMENT | {"confirmation_token": "ctoken_1Nn"}
    assert (news.ref, news.payment_id, news.stage) == ("pi_1", "pay_1", "succeeded")
    assert (news.amount, news.currency, news.live) == (12500, "USD", False)
    assert (news.method, news.label, news.payer_ref) == ("card", "Visa ending in 4242", "cus_1")
    assert (news.failure, news.action, news.saved) == (None, None, None)


def test_each_request_that_makes_something_carries_our_key_and_no_other(stripe: Gateway, double: Double) -> None:
    double.will(expanded(), expanded(), refund())

    stripe.start(replace(ORDER, key="first"))
    stripe.start(replace(ORDER, key="first"))
    stripe.refund("ref_1", "again", "pi_1", 5000, "USD")

    assert [asked.headers["Idempotency-Key"] for asked in double.asked] == ["first", "first", "again"]
    assert {asked.headers["Authorization"] for asked in double.asked} == {"Bearer sk_test_hush"}
    assert double.asked[0].params == double.asked[1].params


def test_nothing_is_told_to_stripe_about_this_machine(stripe: Gateway, double: Double, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    double.will(expanded(), expanded())

    stripe.look("pi_1")
    stripe.look("pi_1")

    for asked in double.asked:
        assert "telemetry" not in str(asked.headers).lower()
        assert "platform" not in asked.headers["X-Stripe-Client-User-Agent"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "currency", "label"),
    [("us_bank_account", "USD", "Bank account ending in 6789"), ("sepa_debit", "EUR", "Bank account ending in 3201")],
)
def test_a_debit_is_on_its_way_for_days(stripe: Gateway, double: Double, kind: str, currency: str, label: str) -> None:
    double.will(expanded("processing", kind, currency=currency.lower()))

    news = stripe.start(replace(ORDER, method=kind, currency=currency))

    expected = EVERY_PAYMENT | {"payment_method_types[0]": kind, "currency": currency.lower()}
    assert double.asked[0].params == expected | {"confirmation_token": "ctoken_1Nn"}
    assert (news.stage, news.method, news.label, news.currency) == ("processing", kind, label, currency)


def test_a_method_is_kept_only_where_the_payer_said_so(stripe: Gateway, double: Double) -> None:
    double.will(expanded(setup_future_usage="off_session"))

    news = stripe.start(replace(ORDER, saves=True))

    assert double.asked[0].params["setup_future_usage"] == "off_session"
    assert news.saved == Saved("pm_1", "card", "Visa ending in 4242", "2031-04")


@pytest.mark.parametrize(("reference", "sent"), [("", None), ("A-1, " * 200, ("A-1, " * 200)[:500])])
def test_a_reference_is_sent_as_far_as_stripe_takes_it(
    stripe: Gateway, double: Double, reference: str, sent: str | None
) -> None:
    double.will(expanded())

    stripe.start(replace(ORDER, reference=reference))

    assert double.asked[0].params.get("description") == sent


@pytest.mark.parametrize(
    ("kind", "present", "how"),
    [
        ("card", True, {"use_stripe_sdk": "true"}),
        ("card", False, {"off_session": "true"}),
        ("us_bank_account", True, {"off_session": "true"}),  # by the mandate: there is nothing to confirm
        ("us_bank_account", False, {"off_session": "true"}),
    ],
)
def test_a_saved_method_is_charged_without_a_token(
    stripe: Gateway, double: Double, kind: str, present: bool, how: dict[str, str]
) -> None:
    double.will(expanded("succeeded", kind))

    stripe.start(replace(ORDER, method=kind, saved_ref="pm_1", present=present, details={}))

    expected = EVERY_PAYMENT | {"payment_method_types[0]": kind, "payment_method": "pm_1"} | how
    assert double.asked[0].params == expected


def test_what_a_bank_asks_is_answered_in_the_browser(stripe: Gateway, double: Double) -> None:
    double.will(expanded("requires_action", next_action={"type": "use_stripe_sdk", "use_stripe_sdk": {}}))

    news = stripe.start(ORDER)

    assert (news.stage, news.action) == ("action", Action("script", secret="pi_1_secret_abc"))


def test_small_deposits_are_told_on_a_page_of_stripe(stripe: Gateway, double: Double) -> None:
    page = {"hosted_verification_url": "https://payments.stripe.com/microdeposit/x", "microdeposit_type": "amounts"}
    needed = {"type": "verify_with_microdeposits", "verify_with_microdeposits": page}
    double.will(expanded("requires_action", "us_bank_account", next_action=needed))

    news = stripe.start(replace(ORDER, method="us_bank_account"))

    assert news.action == Action("micro_deposits", url=page["hosted_verification_url"])


# Declines


@pytest.mark.parametrize(
    ("code", "decline_code", "failure"),
    [
        ("card_declined", "generic_decline", "declined"),
        ("card_declined", "lost_card", "declined"),
        ("card_declined", "insufficient_funds", "insufficient_funds"),
        ("expired_card", None, "expired_card"),
        ("incorrect_cvc", "incorrect_cvc", "wrong_details"),
        ("incorrect_number", None, "wrong_details"),
        ("authentication_required", "authentication_required", "not_confirmed"),
        ("currency_not_supported", None, "not_supported"),
        ("something_new", None, "declined"),
    ],
)
def test_a_decline_is_news_with_a_reason(
    stripe: Gateway, double: Double, code: str, decline_code: str | None, failure: str
) -> None:
    double.will(declined(code, decline_code), status=402)

    news = stripe.start(ORDER)

    assert (news.ref, news.payment_id, news.stage, news.failure) == ("pi_1", "pay_1", "failed", failure)
    assert (news.method, news.label) == ("card", "Visa ending in 4242")


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("insufficient_funds", "insufficient_funds"),
        ("account_closed", "wrong_details"),
        ("no_account", "wrong_details"),
        ("debit_not_authorized", "not_authorized"),
        ("payment_method_microdeposit_verification_timeout", "not_confirmed"),
        ("payment_intent_authentication_failure", "not_confirmed"),
    ],
)
def test_a_payment_that_failed_later_says_why(stripe: Gateway, double: Double, code: str, failure: str) -> None:
    error = {"type": "invalid_request_error", "code": code, "payment_method": method("us_bank_account")}
    double.will(intent("requires_payment_method", "us_bank_account", payment_method=None, last_payment_error=error))

    news = stripe.look("pi_1")

    assert (news.stage, news.failure, news.label) == ("failed", failure, "Bank account ending in 6789")


# What is not news


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, None),  # hung up
        (200, "<html>"),
        (200, "[]"),
        (200, {"id": "pi_1"}),
        (200, expanded("a_status_of_tomorrow")),
        (401, refused(None)),
        (403, refused(None)),
        (409, refused("idempotency_key_in_use")),
        (400, refused(None, "idempotency_error")),  # other parameters were sent with this key
        (400, refused("lock_timeout")),
        (429, refused("rate_limit")),
        (500, refused(None, "api_error")),
        (503, "try later"),
        (402, {"error": {"type": "card_error", "code": "card_declined"}}),  # of which payment?
    ],
)
def test_an_answer_that_leaves_open_what_happened_is_not_a_failure(
    stripe: Gateway, double: Double, status: int, answer: Any
) -> None:
    double.will(answer, status=status)

    with pytest.raises(Unreachable):
        stripe.start(ORDER)

    assert len(double.asked) == 1  # asking again is the worker's, with the same key


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        opened(stripe_api_url="http://127.0.0.1:1").start(ORDER)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (refused("amount_too_small", param="amount"), "not_supported"),
        (refused("amount_too_large", param="amount"), "not_supported"),
        (refused("resource_missing", param="payment_method"), "gone"),
        (refused("payment_intent_mandate_invalid"), "gone"),
        (refused("resource_missing", param="confirmation_token"), "wrong_details"),
        (refused("parameter_unknown", param="statement"), "unknown"),
    ],
)
def test_what_stripe_refuses_was_not_made(stripe: Gateway, double: Double, answer: Any, failure: str) -> None:
    double.will(answer, status=400)

    with pytest.raises(Refused) as refusal:
        stripe.start(ORDER)

    assert refusal.value.failure == failure
    assert "req_1" in str(refusal.value)
    assert "4242" not in str(refusal.value)  # what was typed, or sent, stays out of logs


@pytest.mark.parametrize(
    ("changed", "failure"),
    [
        ({"details": {}}, "wrong_details"),
        ({"details": {"confirmation_token": ""}}, "wrong_details"),
        ({"details": {"confirmation_token": "pm_1"}}, "wrong_details"),
        ({"details": {"confirmation_token": "ctoken_1/../refunds"}}, "wrong_details"),
        ({"currency": "EUR", "method": "us_bank_account"}, "not_supported"),
        ({"method": "klarna"}, "not_supported"),
        ({"currency": "KPW"}, "not_supported"),
        ({"currency": "UGX"}, "not_supported"),  # Stripe's page contradicts itself
        ({"amount": 49}, "not_supported"),
        ({"currency": "KWD", "amount": 1001}, "not_supported"),
        ({"currency": "MGA", "amount": 150}, "not_supported"),
    ],
)
def test_what_stripe_could_not_take_is_not_sent(
    stripe: Gateway, double: Double, changed: dict[str, Any], failure: str
) -> None:
    with pytest.raises(Refused) as refusal:
        stripe.start(replace(ORDER, **changed))

    assert (refusal.value.failure, double.asked) == (failure, [])


# Amounts


@pytest.mark.parametrize(
    ("currency", "ours", "theirs"),
    [
        ("USD", 12500, 12500),
        ("JPY", 12500, 12500),
        ("ISK", 125, 12500),
        ("MGA", 12500, 125),
        ("KWD", 12500, 12500),
        ("HUF", 17550, 17550),  # in hundredths when it is charged, in whole ones only when it is paid out
    ],
)
def test_amounts_are_in_the_units_that_stripe_counts(
    stripe: Gateway, double: Double, currency: str, ours: int, theirs: int
) -> None:
    double.will(expanded(currency=currency.lower(), amount=theirs, amount_received=theirs))
    double.will(refund(currency=currency.lower(), amount=theirs))

    paid = stripe.start(replace(ORDER, currency=currency, amount=ours))
    returned = stripe.refund("ref_1", "key", "pi_1", ours, currency)

    assert [asked.params["amount"] for asked in double.asked] == [str(theirs), str(theirs)]
    assert (paid.amount, returned.amount) == (ours, ours)


def test_news_says_what_moved_not_what_was_asked(stripe: Gateway, double: Double) -> None:
    double.will(expanded(amount=12500, amount_received=9000))

    assert stripe.look("pi_1").amount == 9000


def test_a_form_shows_an_amount_even_where_stripe_could_not_charge_it() -> None:
    assert opened().checkout("card", 1001, "KWD").values["amount"] == "1000"


def test_minimums_are_those_that_stripe_documents() -> None:
    stripe = opened()

    assert [stripe.minimum(code) for code in ("USD", "GBP", "JPY", "HUF", "KWD", "MGA", "PEN")] == [
        50, 30, 50, 17500, 10, 100, 1,
    ]  # fmt: skip


def test_each_method_has_its_currencies() -> None:
    stripe = opened()
    served = {kind: [code for code in ("USD", "EUR", "ISK", "KPW") if stripe.serves(kind, code)] for kind in METHODS}

    assert served == {"card": ["USD", "EUR", "ISK"], "us_bank_account": ["USD"], "sepa_debit": ["EUR"], "cash": []}


METHODS = ("card", "us_bank_account", "sepa_debit", "cash")


# Looking, finding, canceling


def test_looking_asks_for_the_charge_and_the_method(stripe: Gateway, double: Double) -> None:
    double.will(expanded())

    stripe.look("pi_1")

    (asked,) = double.asked
    assert (asked.method, asked.path) == ("GET", "/v1/payment_intents/pi_1")
    assert asked.params == {"expand[0]": "latest_charge", "expand[1]": "payment_method"}


def test_a_payment_that_stripe_does_not_have_is_refused(stripe: Gateway, double: Double) -> None:
    double.will(refused("resource_missing", param="intent"), status=404)

    with pytest.raises(Refused):
        stripe.look("pi_1")


def test_a_payment_is_found_by_our_id(stripe: Gateway, double: Double) -> None:
    found = {"object": "search_result", "url": "/v1/payment_intents/search", "has_more": False, "data": [intent()]}
    double.will(found, expanded())

    news = stripe.find("pay_1")

    assert news is not None
    assert news.ref == "pi_1"
    assert double.asked[0].path == "/v1/payment_intents/search"
    assert double.asked[0].params["query"] == "metadata['portal_payment_id']:'pay_1'"


def test_a_payment_that_the_search_does_not_know_yet_is_found_among_the_newest(stripe: Gateway, double: Double) -> None:
    others = [intent(id=f"pi_{n}", metadata={}) for n in range(2, 4)]
    double.will({"object": "search_result", "has_more": False, "data": []})
    double.will(listed(*others, more=True), listed(intent(id="pi_9")), expanded(id="pi_9"))

    news = stripe.find("pay_1")

    assert news is not None
    assert news.ref == "pi_9"
    assert double.asked[2].params["starting_after"] == "pi_3"


def test_where_stripe_offers_no_search_the_newest_are_looked_through(stripe: Gateway, double: Double) -> None:
    double.will(refused(None), status=400)
    double.will(listed(intent(metadata={})))

    assert stripe.find("pay_1") is None


def test_a_payment_that_waits_is_canceled(stripe: Gateway, double: Double) -> None:
    double.will(expanded("canceled"))

    news = stripe.cancel("pi_1")

    assert (double.asked[0].method, double.asked[0].path) == ("POST", "/v1/payment_intents/pi_1/cancel")
    assert double.asked[0].params["cancellation_reason"] == "abandoned"
    assert news.stage == "canceled"


def test_a_payment_that_is_too_far_to_be_canceled_says_how_far(stripe: Gateway, double: Double) -> None:
    double.will(refused("payment_intent_unexpected_state"), status=400)
    double.will(expanded("processing"))

    assert stripe.cancel("pi_1").stage == "processing"


# Refunds


def test_a_refund_names_ours(stripe: Gateway, double: Double) -> None:
    double.will(refund("pending"))

    news = stripe.refund("ref_1", "key", "pi_1", 5000, "USD")

    (asked,) = double.asked
    assert (asked.method, asked.path) == ("POST", "/v1/refunds")
    assert asked.params == {"payment_intent": "pi_1", "amount": "5000", "metadata[portal_refund_id]": "ref_1"}
    assert (news.ref, news.refund_id, news.payment_ref, news.stage) == ("re_1", "ref_1", "pi_1", "pending")
    assert (news.amount, news.currency, news.live) == (5000, "USD", False)


def test_more_than_was_paid_is_not_refunded(stripe: Gateway, double: Double) -> None:
    double.will(refused("charge_already_refunded"), status=400)

    with pytest.raises(Refused):
        stripe.refund("ref_1", "key", "pi_1", 999900, "USD")


# Payers and what is kept for them


def test_a_payer_is_made_once(stripe: Gateway, double: Double) -> None:
    double.will({"id": "cus_9", "object": "customer"}, {"id": "cus_9", "object": "customer"})

    assert stripe.payer(ORDER.payer) == "cus_1"
    assert double.asked == []
    assert stripe.payer(replace(ORDER.payer, ref=None)) == "cus_9"
    assert stripe.payer(replace(ORDER.payer, ref=None)) == "cus_9"

    first, second = double.asked
    assert (first.method, first.path) == ("POST", "/v1/customers")
    expected = {"name": "Acme", "email": "ann@acme.example", "metadata[portal_customer_id]": "cust_1"}
    assert first.params == second.params == expected
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


def test_saved_methods_are_those_that_we_can_charge(stripe: Gateway, double: Double) -> None:
    double.will(listed(method(), method("link", id="pm_2"), more=True), listed(method("us_bank_account", id="pm_3")))

    kept = stripe.saved("cus_1")

    assert double.asked[0].path == "/v1/customers/cus_1/payment_methods"
    assert kept == [
        Saved("pm_1", "card", "Visa ending in 4242", "2031-04"),
        Saved("pm_3", "us_bank_account", "Bank account ending in 6789"),
    ]


def test_a_method_is_forgotten(stripe: Gateway, double: Double) -> None:
    double.will(method(customer=None))

    stripe.forget("pm_1")

    assert (double.asked[0].method, double.asked[0].path) == ("POST", "/v1/payment_methods/pm_1/detach")


@pytest.mark.parametrize(("status", "found"), [(200, method(customer=None)), (404, refused("resource_missing"))])
def test_forgetting_what_is_gone_already_is_no_error(stripe: Gateway, double: Double, status: int, found: Any) -> None:
    double.will(refused(None), status=400)
    double.will(found, status=status)

    stripe.forget("pm_1")


def test_a_method_that_cannot_be_removed_says_so(stripe: Gateway, double: Double) -> None:
    double.will(refused(None), status=400)
    double.will(method())

    with pytest.raises(Refused):
        stripe.forget("pm_1")


# Reconciliation


def test_events_come_oldest_first(stripe: Gateway, double: Double) -> None:
    newest = event("charge.succeeded", charge(), id="evt_3", created=1_790_000_300)
    middle = event("payment_intent.succeeded", intent(), id="evt_2", created=1_790_000_200)
    oldest = event("payment_intent.processing", intent("processing"), id="evt_1", created=1_790_000_100)
    double.will(listed(newest, middle, more=True), listed(oldest))

    told = list(stripe.since(datetime.fromtimestamp(1_790_000_099.5, UTC)))

    assert [one.id for one in told] == ["evt_1", "evt_2", "evt_3"]
    assert [getattr(one.news, "stage", None) for one in told] == ["processing", "succeeded", "succeeded"]
    assert double.asked[0].params["created[gte]"] == "1790000099"
    assert "types[0]" in double.asked[0].params


def test_an_event_that_cannot_be_read_does_not_hold_up_the_others(stripe: Gateway, double: Double) -> None:
    double.will(
        listed(event("payment_intent.succeeded", intent(), id="evt_2"), event("charge.succeeded", {}, id="evt_1"))
    )
    told = stripe.since(datetime(2026, 11, 23, tzinfo=UTC))

    assert next(told).id == "evt_2"
    with pytest.raises(Unreachable, match="evt_1"):
        next(told)


# Opening


@pytest.mark.parametrize(
    "setting",
    ["stripe_secret_key", "stripe_publishable_key", "stripe_webhook_secrets"],
)
def test_a_missing_setting_is_named(setting: str) -> None:
    with pytest.raises(Misconfigured, match=f"PORTAL_{setting.upper()}"):
        opened(**{setting: None if setting != "stripe_webhook_secrets" else ()})


def test_the_server_does_not_start_where_one_is_missing() -> None:
    with listen("127.0.0.1", 0) as listener, pytest.raises(Misconfigured):
        serve(Settings(gateway="stripe"), listener, workers=1)


@pytest.mark.parametrize(
    ("key", "public", "live"),
    [
        ("sk_test_1", "pk_test_1", False),
        ("rk_test_1", "pk_test_1", False),
        ("sk_live_1", "pk_live_1", True),
        ("rk_live_1", "pk_live_1", True),
    ],
)
def test_the_keys_say_whether_money_is_real(key: str, public: str, live: bool) -> None:
    assert opened(stripe_secret_key=key, stripe_publishable_key=public).live is live


def test_keys_of_two_modes_are_refused() -> None:
    with pytest.raises(Misconfigured, match="both be live keys, or both test keys"):
        opened(stripe_secret_key="sk_live_1")


def test_a_live_key_is_never_shown_to_a_stand_in() -> None:
    with pytest.raises(Misconfigured, match="PORTAL_STRIPE_API_URL"):
        opened(
            stripe_secret_key="sk_live_1", stripe_publishable_key="pk_live_1", stripe_api_url="http://127.0.0.1:8420"
        )


def test_the_form_gets_public_values_only() -> None:
    checkout = opened().checkout("us_bank_account", 12500, "USD")

    assert checkout.fields == ("confirmation_token",)
    assert checkout.values == {
        "script": "https://js.stripe.com/endive/stripe.js?advancedFraudSignals=false",
        "key": "pk_test_seen",
        "method": "us_bank_account",
        "amount": "12500",
        "currency": "usd",
    }
    assert "hush" not in repr(checkout)


def test_a_page_that_pays_opens_stripes_origins_and_no_others() -> None:
    origins = opened().origins

    assert set(origins.script + origins.frame + origins.connect + origins.img) == {
        "https://js.stripe.com",
        "https://*.js.stripe.com",
        "https://hooks.stripe.com",
        "https://api.stripe.com",
    }


def opened(**changed: Any) -> Gateway:
    gateway = open_gateway("stripe", Settings(**{**SETTINGS, **changed}))
    assert gateway is not None
    return gateway
