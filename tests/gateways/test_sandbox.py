"""The sandbox keeps the contract with gateways: its client, over HTTP, against the process itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portal.config import Settings
from portal.gateways import DisputeNews, Payer, PaymentNews, RefundNews, Refused, Saved, Unreachable
from portal.gateways.sandbox import Sandbox as Client
from portal.gateways.sandbox import open_gateway
from tests import programs
from tests.sandbox import Sandbox, order

DEBIT = {"method": "us_bank_account"}


def stages(sandbox: Sandbox, payment_id: str) -> list[str]:
    return [payment["stage"] for payment in sandbox.payments(payment_id)]


# What it serves.


@pytest.mark.parametrize(
    ("method", "currency", "served"),
    [
        ("card", "KWD", True),
        ("us_bank_account", "USD", True),
        ("us_bank_account", "EUR", False),
        ("sepa_debit", "EUR", True),
        ("sepa_debit", "USD", False),
        ("bank_transfer", "USD", False),
    ],
)
def test_a_debit_is_in_the_currency_of_its_scheme(sandbox: Sandbox, method: str, currency: str, served: bool) -> None:
    asked = order(method=method, currency=currency)

    assert sandbox.gateway.serves(method, currency) is served
    if served:
        assert sandbox.gateway.start(asked).stage in ("succeeded", "processing")
    else:
        with pytest.raises(Refused) as refused:
            sandbox.gateway.start(asked)
        assert refused.value.failure == "not_supported"


@pytest.mark.parametrize(("currency", "minimum"), [("USD", 50), ("JPY", 50), ("KWD", 500)])
def test_client_and_server_agree_about_the_smallest_amount(sandbox: Sandbox, currency: str, minimum: int) -> None:
    assert sandbox.gateway.minimum(currency) == minimum
    assert sandbox.gateway.start(order(currency=currency, amount=minimum)).stage == "succeeded"
    with pytest.raises(Refused):
        sandbox.gateway.start(order(currency=currency, amount=minimum - 1))


@pytest.mark.parametrize("method", ["card", "us_bank_account", "sepa_debit"])
def test_every_outcome_that_the_form_offers_is_known(sandbox: Sandbox, method: str) -> None:
    checkout = sandbox.gateway.checkout(method, 1000, "USD")
    currency = "EUR" if method == "sepa_debit" else "USD"

    for outcome in checkout.values["outcomes"].split():
        news = sandbox.gateway.start(order(method=method, currency=currency, details={checkout.fields[0]: outcome}))

        assert news.stage != "begun"


def test_no_real_money_moves_and_no_script_is_needed(sandbox: Sandbox) -> None:
    assert (sandbox.gateway.name, sandbox.gateway.live) == ("sandbox", False)
    assert not any([sandbox.gateway.origins.script, sandbox.gateway.origins.frame])


# Cards.


def test_a_card_that_succeeds_is_paid_at_once(sandbox: Sandbox) -> None:
    asked = order("4242")

    news = sandbox.gateway.start(asked)

    assert (news.stage, news.amount, news.currency, news.method) == ("succeeded", 1000, "USD", "card")
    assert (news.payment_id, news.label, news.live) == (asked.payment_id, "Visa ending in 4242", False)
    assert sandbox.gateway.look(news.ref) == sandbox.gateway.find(asked.payment_id) == news


@pytest.mark.parametrize(
    ("outcome", "failure"), [("0002", "declined"), ("9995", "insufficient_funds"), ("0069", "expired_card")]
)
def test_a_card_that_is_declined_says_why(sandbox: Sandbox, outcome: str, failure: str) -> None:
    news = sandbox.gateway.start(order(outcome, saves=True))

    assert (news.stage, news.failure, news.saved) == ("failed", failure, None)


def test_an_outcome_that_nobody_offers_is_refused(sandbox: Sandbox) -> None:
    asked = order("1111")

    with pytest.raises(Refused):
        sandbox.gateway.start(asked)

    assert sandbox.gateway.find(asked.payment_id) is None


def test_nobody_can_confirm_where_no_payer_is_present(sandbox: Sandbox) -> None:
    news = sandbox.gateway.start(order("3155", present=False))

    assert (news.stage, news.failure) == ("failed", "not_confirmed")


def test_what_waits_for_its_payer_can_be_given_up(sandbox: Sandbox) -> None:
    asked = order("3155")
    news = sandbox.gateway.start(asked)

    assert news.action
    assert news.action.kind == "page"
    assert sandbox.gateway.cancel(news.ref).stage == "canceled"
    assert sandbox.gateway.start(asked).stage == "canceled"  # the same order is the same payment still


def test_what_has_gone_on_is_not_given_up(sandbox: Sandbox) -> None:
    paid, debited = sandbox.gateway.start(order()), sandbox.gateway.start(order(**DEBIT))

    assert sandbox.gateway.cancel(paid.ref).stage == "succeeded"
    assert sandbox.gateway.cancel(debited.ref).stage == "processing"


# Once a key.


def test_the_same_order_is_one_payment_however_often_it_is_sent(sandbox: Sandbox) -> None:
    asked = order()

    refs = {sandbox.gateway.start(asked).ref for _ in range(5)}

    assert len(refs) == 1
    assert stages(sandbox, asked.payment_id) == ["succeeded"]


def test_another_order_with_a_key_that_was_used_is_not_known_to_have_failed(sandbox: Sandbox) -> None:
    asked = order()
    sandbox.gateway.start(asked)

    with pytest.raises(Unreachable):
        sandbox.gateway.start(replace(asked, amount=2000))

    assert stages(sandbox, asked.payment_id) == ["succeeded"]


def test_another_key_is_another_charge(sandbox: Sandbox) -> None:
    asked = order()
    sandbox.gateway.start(asked)

    sandbox.gateway.start(replace(asked, key=f"{asked.key}-again"))

    assert stages(sandbox, asked.payment_id) == ["succeeded", "succeeded"]


def test_an_answer_that_never_comes_is_found_by_the_same_order(sandbox: Sandbox) -> None:
    asked = order()
    sandbox.control(timeout_rate=1)
    with pytest.raises(Unreachable):
        sandbox.gateway.start(asked)
    with pytest.raises(Unreachable):
        sandbox.gateway.start(asked)
    sandbox.control(timeout_rate=0)

    found, again = sandbox.gateway.find(asked.payment_id), sandbox.gateway.start(asked)

    assert found == again
    assert stages(sandbox, asked.payment_id) == ["succeeded"]


def test_a_sandbox_that_is_out_of_order_has_made_nothing(sandbox: Sandbox) -> None:
    asked = order()
    sandbox.control(unavailable_rate=1)

    with pytest.raises(Unreachable):
        sandbox.gateway.start(asked)

    assert sandbox.gateway.find(asked.payment_id) is None


def test_a_refusal_is_for_what_was_never_made(sandbox: Sandbox) -> None:
    made, asked = order(), order()
    sandbox.gateway.start(made)
    sandbox.control(refuse_rate=1)

    with pytest.raises(Refused):
        sandbox.gateway.start(asked)

    assert sandbox.gateway.find(asked.payment_id) is None
    assert sandbox.gateway.start(made).stage == "succeeded"


@pytest.mark.parametrize("ref", ["pay_nobody", "../../_control", "x/y?z", "\udcff", "\0"])
def test_a_payment_that_is_not_there_is_refused(sandbox: Sandbox, ref: str) -> None:
    with pytest.raises(Refused):
        sandbox.gateway.look(ref)


def test_without_a_sandbox_nothing_is_known(sandbox: Sandbox) -> None:
    nowhere = Client(lambda: "http://127.0.0.1:9", "key", "secret")
    stranger = Client(lambda: sandbox.url, "another key", "secret")

    for gateway in (nowhere, stranger):
        with pytest.raises(Unreachable):
            gateway.start(order())
        with pytest.raises(Unreachable):
            list(gateway.since(datetime.now(UTC)))


# Debits.


@pytest.mark.parametrize(("method", "currency"), [("us_bank_account", "USD"), ("sepa_debit", "EUR")])
def test_a_debit_is_on_its_way_until_it_settles(sandbox: Sandbox, method: str, currency: str) -> None:
    news = sandbox.gateway.start(order("settles", method=method, currency=currency))

    sandbox.settle(news.ref)

    assert news.stage == "processing"
    assert sandbox.gateway.look(news.ref).stage == "succeeded"


def test_a_debit_may_fail_after_days(sandbox: Sandbox) -> None:
    news = sandbox.gateway.start(order("fails", **DEBIT))

    sandbox.settle(news.ref)

    end = sandbox.gateway.look(news.ref)
    assert (news.stage, end.stage, end.failure) == ("processing", "failed", "insufficient_funds")


def test_a_debit_may_be_returned_after_it_succeeded(sandbox: Sandbox) -> None:
    began = datetime.now(UTC)
    news = sandbox.gateway.start(order("returned", **DEBIT))

    sandbox.settle(news.ref)
    sandbox.settle(news.ref)
    sandbox.settle(news.ref)  # there is nothing left to happen

    disputes = [told.news for told in sandbox.gateway.since(began) if isinstance(told.news, DisputeNews)]
    assert [(one.payment_ref, one.stage, one.amount, one.is_return) for one in disputes] == [
        (news.ref, "lost", 1000, True)
    ]
    assert sandbox.gateway.look(news.ref).stage == "succeeded"


def test_debits_settle_by_themselves(sandbox: Sandbox) -> None:
    news = sandbox.gateway.start(order(**DEBIT))

    sandbox.control(settle_seconds=0)

    until = datetime.now(UTC) + timedelta(seconds=10)
    while sandbox.gateway.look(news.ref).stage == "processing":
        assert datetime.now(UTC) < until
    assert sandbox.gateway.look(news.ref).stage == "succeeded"


def test_a_debit_that_stays_on_its_way_settles_when_it_is_told_to(sandbox: Sandbox) -> None:
    stays, other = (sandbox.gateway.start(order(outcome, **DEBIT)).ref for outcome in ("stays", "settles"))

    sandbox.control(settle_seconds=0)
    assert programs.wait_until(lambda: sandbox.gateway.look(other).stage == "succeeded")

    assert sandbox.gateway.look(stays).stage == "processing"
    sandbox.settle(stays)
    assert sandbox.gateway.look(stays).stage == "succeeded"


# Refunds and disputes.


def test_no_more_is_given_back_than_was_paid(sandbox: Sandbox) -> None:
    paid = sandbox.gateway.start(order()).ref

    first = sandbox.gateway.refund("rfd_1", f"{paid}-1", paid, 400, "USD")
    again = sandbox.gateway.refund("rfd_1", f"{paid}-1", paid, 400, "USD")
    with pytest.raises(Refused):
        sandbox.gateway.refund("rfd_2", f"{paid}-2", paid, 601, "USD")
    rest = sandbox.gateway.refund("rfd_3", f"{paid}-3", paid, 600, "USD")

    assert first == again
    assert (first.refund_id, first.stage, first.amount, first.payment_ref) == ("rfd_1", "succeeded", 400, paid)
    assert (rest.stage, rest.amount) == ("succeeded", 600)


@pytest.mark.parametrize(("stage", "deed"), [("succeeded", "settle"), ("failed", "fail_refund")])
def test_a_refund_to_an_account_takes_days(sandbox: Sandbox, stage: str, deed: str) -> None:
    paid = sandbox.gateway.start(order(**DEBIT)).ref
    with pytest.raises(Refused):  # nothing has come yet
        sandbox.gateway.refund("rfd_1", f"{paid}-0", paid, 100, "USD")
    sandbox.settle(paid)

    news = sandbox.gateway.refund("rfd_1", f"{paid}-1", paid, 1000, "USD")
    sandbox.control(**{deed: news.ref})

    assert news.stage == "pending"
    assert sandbox.gateway.refund("rfd_1", f"{paid}-1", paid, 1000, "USD").stage == stage
    if stage == "failed":  # so nothing has gone back yet
        assert sandbox.gateway.refund("rfd_2", f"{paid}-2", paid, 1000, "USD").stage == "pending"


def test_what_was_taken_back_is_not_given_back_too(sandbox: Sandbox) -> None:
    paid = sandbox.gateway.start(order()).ref
    for stage in ("opened", "lost"):
        sandbox.control(dispute={"payment": paid, "stage": stage})
        with pytest.raises(Refused):
            sandbox.gateway.refund("rfd_1", f"{paid}-1", paid, 100, "USD")

    sandbox.control(dispute={"payment": paid, "stage": "won"})

    assert sandbox.gateway.refund("rfd_1", f"{paid}-1", paid, 100, "USD").stage == "succeeded"


def test_what_happens_in_the_dashboard_is_told(sandbox: Sandbox) -> None:
    began = datetime.now(UTC)
    paid = sandbox.gateway.start(order()).ref

    sandbox.control(refund={"payment": paid, "amount": 250})
    for stage in ("opened", "lost", "won"):
        sandbox.control(dispute={"payment": paid, "stage": stage})

    news = [told.news for told in sandbox.gateway.since(began)]
    refund = next(one for one in news if isinstance(one, RefundNews))
    disputes = [one for one in news if isinstance(one, DisputeNews)]
    assert (refund.refund_id, refund.amount, refund.payment_ref) == (None, 250, paid)
    assert [one.stage for one in disputes] == ["opened", "lost", "won"]
    assert len({one.ref for one in disputes}) == 1


# Saved methods.


def test_a_saved_method_is_charged_again_until_it_is_removed(sandbox: Sandbox) -> None:
    first = order(saves=True)
    news = sandbox.gateway.start(first)
    assert news.saved
    assert news.payer_ref

    again = order(payer=first.payer, saved_ref=news.saved.ref, present=False)
    assert sandbox.gateway.start(again).stage == "succeeded"
    assert sandbox.gateway.saved(news.payer_ref) == [
        Saved(news.saved.ref, "card", "Visa ending in 4242", expires="2034-12")
    ]
    sandbox.gateway.forget(news.saved.ref)
    sandbox.gateway.forget(news.saved.ref)
    with pytest.raises(Refused) as refused:
        sandbox.gateway.start(order(payer=first.payer, saved_ref=news.saved.ref))

    assert refused.value.failure == "gone"
    assert sandbox.gateway.saved(news.payer_ref) == []


def test_the_saved_method_of_somebody_else_is_not_charged(sandbox: Sandbox) -> None:
    saved = sandbox.gateway.start(order(saves=True)).saved
    assert saved

    other = order()
    sandbox.gateway.start(other)
    with pytest.raises(Refused):
        sandbox.gateway.start(order(saved_ref=saved.ref))
    with pytest.raises(Refused):
        sandbox.gateway.start(order(payer=other.payer, saved_ref=saved.ref))


def test_a_saved_card_is_not_charged_as_a_debit(sandbox: Sandbox) -> None:
    first = order(saves=True)
    saved = sandbox.gateway.start(first).saved
    assert saved

    with pytest.raises(Refused):
        sandbox.gateway.start(order(payer=first.payer, saved_ref=saved.ref, **DEBIT))


@pytest.mark.parametrize(
    ("method", "outcome", "stage"), [("card", "0341", "failed"), ("us_bank_account", "fails", "processing")]
)
def test_a_saved_method_remembers_how_it_ends(sandbox: Sandbox, method: str, outcome: str, stage: str) -> None:
    first = order(outcome, method=method, saves=True)
    saved = sandbox.gateway.start(first).saved
    assert saved

    news = sandbox.gateway.start(order(method=method, payer=first.payer, saved_ref=saved.ref, present=False))
    sandbox.settle(news.ref)

    assert (news.stage, sandbox.gateway.look(news.ref).stage) == (stage, "failed")


def test_a_payer_is_made_once(sandbox: Sandbox) -> None:
    payer = Payer("cus_once", None, "Harbor Lights", None)

    ref = sandbox.gateway.payer(payer)

    assert sandbox.gateway.payer(replace(payer, name="Harbor Lights Ltd")) == ref
    assert sandbox.gateway.start(order(payer=payer)).payer_ref == ref
    kept = sandbox.keep(ref, outcome="0002")
    assert sandbox.gateway.start(order(payer=payer, saved_ref=kept["ref"])).failure == "declined"


# Events.


def test_every_event_is_told_once_in_the_order_of_what_happened(sandbox: Sandbox) -> None:
    began = datetime.now(UTC)
    orders = [order() for _ in range(110)]  # more than a page
    for one in orders:
        sandbox.gateway.start(one)

    told = list(sandbox.gateway.since(began))
    later = list(sandbox.gateway.since(told[59].at))

    paid = [one.news.payment_id for one in told if isinstance(one.news, PaymentNews)]
    assert paid == [one.payment_id for one in orders]
    assert len({one.id for one in told}) == 110
    assert later == told[60:]


# Where it is.


def test_the_client_follows_a_sandbox_that_says_where_it_is(sandbox: Sandbox) -> None:
    settings = Settings(data_dir=sandbox.data, secret_key="a secret that only the tests know 0123456789")

    assert open_gateway(settings).start(order()).stage == "succeeded"
