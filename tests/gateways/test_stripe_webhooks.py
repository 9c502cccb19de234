"""A webhook of Stripe: signed by a secret of ours, of this very moment, read in its documented shapes."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from portal.gateways import DisputeNews, MethodNews, PaymentNews, RefundNews, Saved, Told, Unsigned
from portal.gateways.stripe import StripeGateway, news
from tests.gateways.stripe_shapes import CREATED, charge, dispute, event, intent, method, refund

NOW = datetime.fromtimestamp(CREATED, UTC)
DOCS = Path(__file__).parents[2] / "docs" / "stripe.md"
NEW, OLD = "whsec_new", "whsec_old"
STRIPE = StripeGateway("sk_test_hush", "pk_test_seen", [NEW, OLD])


# Who has signed, and when


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_while_secrets_are_changed_either_may_have_signed(secret: str) -> None:
    body = written(event("payment_intent.succeeded", intent()))

    assert STRIPE.read(signed(body, secret), body, NOW).id == "evt_1"


def test_two_signatures_are_sent_while_stripe_rolls_a_secret() -> None:
    body = written(event("payment_intent.succeeded", intent()))
    other = signed(body, "whsec_other")["Stripe-Signature"]
    header = f"{other},v1={signature(body, NEW)},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"

    assert STRIPE.read({"Stripe-Signature": header}, body, NOW).id == "evt_1"


@pytest.mark.parametrize("name", ["Stripe-Signature", "stripe-signature", "STRIPE-SIGNATURE"])
def test_the_name_of_the_header_may_be_written_in_any_case(name: str) -> None:
    body = written(event("payment_intent.succeeded", intent()))

    assert STRIPE.read({"Content-Type": "x", name: signed(body)["Stripe-Signature"]}, body, NOW).id == "evt_1"


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_within_five_minutes_of_now_it_is_heard(seconds: int) -> None:
    body = written(event("payment_intent.succeeded", intent()))

    assert STRIPE.read(signed(body, moment=CREATED + seconds), body, NOW).id == "evt_1"


@pytest.mark.parametrize("seconds", [-86_400, -301, 301, 86_400, 10**10])
def test_too_old_or_from_the_future_it_is_not(seconds: int) -> None:
    body = written(event("payment_intent.succeeded", intent()))

    with pytest.raises(Unsigned, match="5 minutes"):
        STRIPE.read(signed(body, moment=max(1, CREATED + seconds)), body, NOW)


def test_another_secret_is_refused() -> None:
    body = written(event("payment_intent.succeeded", intent()))

    with pytest.raises(Unsigned, match="PORTAL_STRIPE_WEBHOOK_SECRETS"):
        STRIPE.read(signed(body, "whsec_other"), body, NOW)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=",
        "v1=aa",
        f"t={CREATED}",
        f"t={CREATED},v1=",
        f"t={CREATED},v0=SIGNATURE",
        f"v1=SIGNATURE,t={CREATED},t={CREATED}",
        f"t=0{CREATED},v1=SIGNATURE",
        f"t=+{CREATED},v1=SIGNATURE",
        f"t={str(CREATED)[:4]}_{str(CREATED)[4:]},v1=SIGNATURE",
        f"t= {CREATED},v1=SIGNATURE",
        f"t={CREATED}, v1=SIGNATURE",
        f"t={CREATED},v1=SIGNATURE,",
        f"t={CREATED},v1=SIGNATURE\n",
        f"t={CREATED}.0,v1=SIGNATURE",
        "t=٣,v1=SIGNATURE",
        f"t={CREATED},v1=\N{SNOWMAN}",
        f"t={'9' * 5000},v1=SIGNATURE",
    ],
)
def test_a_header_of_another_shape_is_refused(header: str) -> None:
    body = written(event("payment_intent.succeeded", intent()))

    with pytest.raises(Unsigned):
        STRIPE.read({"Stripe-Signature": header.replace("SIGNATURE", signature(body, NEW))}, body, NOW)


def test_nothing_that_was_changed_on_its_way_is_heard() -> None:
    body = written(event("payment_intent.succeeded", intent()))
    header = signed(body)["Stripe-Signature"]
    draw = random.Random(30)

    for _ in range(2000):
        changed_body, changed_header = body, header
        if draw.random() < 0.5:
            at = draw.randrange(len(body))
            changed_body = body[:at] + bytes([body[at] ^ (1 << draw.randrange(8))]) + body[at + 1 :]
        else:
            at = draw.randrange(len(header))
            other = draw.choice([character for character in "0123456789abcdefgtv=,_ +é" if character != header[at]])
            changed_header = header[:at] + other + header[at + 1 :]

        with pytest.raises(Unsigned):
            STRIPE.read({"Stripe-Signature": changed_header}, changed_body, NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"evt_1"',
        b"\xff\xfe",
        b"{}",
        json.dumps(event("payment_intent.succeeded", {})).encode(),
        json.dumps(event("payment_intent.succeeded", intent(status="new_in_2030"))).encode(),
        json.dumps(event("payment_intent.succeeded", intent(amount_received="12500", currency=None))).encode(),
        json.dumps(event("payment_intent.succeeded", intent(currency="isk", amount_received=150))).encode(),
        json.dumps(event("payment_intent.requires_action", intent("requires_action"))).encode(),
        json.dumps(event("charge.dispute.created", {"payment_intent": "pi_1"})).encode(),
        json.dumps(event("refund.created", refund(), created="yesterday")).encode(),
        json.dumps(event("refund.created", refund(), created=10**30)).encode(),
        json.dumps(event("refund.created", refund(), id=None)).encode(),
        json.dumps({**event("refund.created", refund()), "data": []}).encode(),
    ],
)
def test_what_cannot_be_read_is_not_heard_though_it_was_signed(body: bytes) -> None:
    with pytest.raises(Unsigned):
        STRIPE.read(signed(body), body, NOW)


# What it says


def test_an_event_has_an_id_a_moment_and_a_kind() -> None:
    told = hear("payment_intent.succeeded", intent())

    assert (told.id, told.at, told.type) == ("evt_1", NOW, "payment_intent.succeeded")


@pytest.mark.parametrize(
    ("kind", "status", "stage"),
    [
        ("payment_intent.processing", "processing", "processing"),
        ("payment_intent.succeeded", "succeeded", "succeeded"),
        ("payment_intent.canceled", "canceled", "canceled"),
    ],
)
def test_a_payment_goes_on(kind: str, status: str, stage: str) -> None:
    news = hear(kind, intent(status)).news

    assert isinstance(news, PaymentNews)
    assert (news.ref, news.payment_id, news.stage, news.amount, news.currency) == ("pi_1", "pay_1", stage, 12500, "USD")
    assert (news.live, news.method, news.payer_ref) == (False, "card", "cus_1")


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("payment_intent.succeeded", intent(livemode=True)),
        ("charge.succeeded", charge()),
        ("refund.created", refund()),
        ("charge.dispute.created", dispute()),
        ("payment_method.updated", method()),
        ("payment_method.detached", method()),
    ],
)
def test_live_money_is_said_to_be_live(kind: str, changed: dict[str, Any]) -> None:
    for livemode in (True, False):
        told = hear(kind, {**changed, "livemode": livemode}, livemode=livemode).news

        assert told
        assert told.live is livemode


def test_a_debit_that_came_back_before_it_arrived_has_failed() -> None:
    error = {"type": "invalid_request_error", "code": "insufficient_funds", "payment_method": method("us_bank_account")}
    failed = intent("requires_payment_method", "us_bank_account", payment_method=None, last_payment_error=error)

    news = hear("payment_intent.payment_failed", failed).news

    assert isinstance(news, PaymentNews)
    assert (news.stage, news.failure, news.method) == ("failed", "insufficient_funds", "us_bank_account")


def test_a_charge_says_which_method_was_charged_whatever_was_asked() -> None:
    news = hear("charge.succeeded", charge("us_bank_account")).news

    assert isinstance(news, PaymentNews)
    assert (news.ref, news.payment_id, news.stage) == ("pi_1", "pay_1", "succeeded")
    assert (news.method, news.label) == ("us_bank_account", "Bank account ending in 6789")


@pytest.mark.parametrize(
    "changed",
    [
        ("payment_intent.succeeded", intent(metadata={})),
        ("payment_intent.succeeded", intent(metadata={"order": "7"})),
        ("charge.succeeded", charge(metadata={})),
        ("charge.succeeded", charge(payment_intent=None)),
        ("refund.created", refund(payment_intent=None)),
        ("customer.created", {"id": "cus_1"}),
        ("payment_intent.created", intent("requires_payment_method")),
        ("payment_method.attached", method("klarna")),
        ("payment_method.detached", method("klarna")),
        ("an.event.of.tomorrow", {}),
    ],
)
def test_what_is_not_ours_is_no_news(changed: tuple[str, Any]) -> None:
    told = hear(*changed)

    assert (told.type, told.news) == (changed[0], None)


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("pending", "pending"),
        ("requires_action", "pending"),
        ("succeeded", "succeeded"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ],
)
def test_a_refund_says_how_far_it_is(status: str, stage: str) -> None:
    news = hear("refund.updated", refund(status)).news

    assert isinstance(news, RefundNews)
    assert (news.ref, news.refund_id, news.payment_ref, news.stage) == ("re_1", "ref_1", "pi_1", stage)
    assert (news.amount, news.currency) == (5000, "USD")


def test_a_refund_that_was_made_in_stripes_dashboard_has_no_id_of_ours() -> None:
    news = hear("refund.created", refund(metadata={})).news

    assert isinstance(news, RefundNews)
    assert (news.refund_id, news.payment_ref) == (None, "pi_1")


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("needs_response", "opened"),
        ("under_review", "opened"),
        ("warning_needs_response", "opened"),
        ("warning_closed", "won"),
        ("won", "won"),
        ("lost", "lost"),
    ],
)
def test_a_card_is_disputed_opened_and_won_or_lost(status: str, stage: str) -> None:
    news = hear("charge.dispute.updated", dispute(status)).news

    assert isinstance(news, DisputeNews)
    assert (news.ref, news.payment_ref, news.stage, news.amount) == ("dp_1", "pi_1", stage, 12500)
    assert (news.reason, news.is_return) == ("fraudulent", False)


@pytest.mark.parametrize(
    "given",
    [
        dispute("lost", "insufficient_funds", kind=None),
        dispute("needs_response", "debit_not_authorized", kind=None),
        dispute("needs_response", "bank_cannot_process", kind=None),
        dispute("lost", "fraudulent", kind="us_bank_account"),
        dispute("under_review", "general", kind="sepa_debit"),
    ],
)
def test_a_debit_that_comes_back_after_success_is_a_return_and_lost_from_the_start(given: dict[str, Any]) -> None:
    news = hear("charge.dispute.created", given).news

    assert isinstance(news, DisputeNews)
    assert (news.stage, news.is_return) == ("lost", True)


def test_a_card_that_had_too_little_is_no_return() -> None:
    news = hear("charge.dispute.created", dispute("needs_response", "insufficient_funds", kind="card")).news

    assert isinstance(news, DisputeNews)
    assert (news.stage, news.is_return) == ("opened", False)


def test_a_method_that_was_detached_is_gone() -> None:
    told = hear("payment_method.detached", method(customer=None), previous={"customer": "cus_1"})

    assert told.news == MethodNews("pm_1", "cus_1", False, None)


@pytest.mark.parametrize(
    "kind", ["payment_method.attached", "payment_method.updated", "payment_method.automatically_updated"]
)
def test_a_card_that_was_renewed_says_until_when(kind: str) -> None:
    renewed = method(card={"brand": "mastercard", "last4": "4444", "exp_month": 11, "exp_year": 2034})

    told = hear(kind, renewed)

    assert told.news == MethodNews(
        "pm_1", "cus_1", False, Saved("pm_1", "card", "Mastercard ending in 4444", "2034-11")
    )


@pytest.mark.parametrize(
    ("brand", "label"),
    [("amex", "American Express ending in 4242"), ("unknown", "Card ending in 4242"), ("visa", "Visa ending in 4242")],
)
def test_a_label_is_for_people(brand: str, label: str) -> None:
    assert news.label({"type": "card", "card": {"brand": brand, "last4": "4242"}}) == label


def test_stripe_lists_at_most_twenty_kinds_of_events() -> None:
    assert len(news.TYPES) <= 20


def test_the_operator_is_told_of_each_kind_to_subscribe_to() -> None:
    chapter = DOCS.read_text("utf-8").partition("### Events to subscribe to")[2].partition("\n\nOthers")[0]

    assert re.findall(r"`([a-z_.]+)`", chapter) == list(news.TYPES)


def hear(kind: str, changed: dict[str, Any], previous: dict[str, Any] | None = None, **more: Any) -> Told:
    body = written(event(kind, changed, previous, **more))
    return STRIPE.read(signed(body), body, NOW + timedelta(seconds=1))


def written(event: dict[str, Any]) -> bytes:
    """As Stripe writes it: indented, which makes the raw bytes matter."""
    return json.dumps(event, indent=2).encode()


def signed(body: bytes, secret: str = NEW, moment: int = CREATED) -> dict[str, str]:
    return {"Stripe-Signature": f"t={moment},v1={signature(body, secret, moment)}"}


def signature(body: bytes, secret: str, moment: int = CREATED) -> str:
    return hmac.new(secret.encode(), b"%d.%s" % (moment, body), hashlib.sha256).hexdigest()
