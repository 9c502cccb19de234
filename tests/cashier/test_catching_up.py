"""What is taken up again by itself: no answer, no payer, no news, or news of nothing. Never is anything done twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import requests

from portal.cashier import catching_up, reconciling, returning, taking
from portal.cashier.catching_up import CatchingUp
from portal.delivery import worker
from portal.domain.settlement import Share
from portal.gateways import DisputeNews, Gateway, PaymentNews, RefundNews, Refused, Told, Unreachable
from portal.gateways.sandbox import Sandbox as Client
from portal.models import asking
from portal.models.account import Account
from portal.models.base import new_id
from portal.models.gateway_event import GatewayCursor, GatewayEvent
from portal.models.invoice import Invoice
from portal.models.link import Link
from portal.models.payment import Allocation, Payment
from portal.models.record import Record
from portal.models.refund import Refund
from tests import attempts
from tests.attempts import left, wanted
from tests.cashier.conftest import NOWHERE, Line
from tests.given import Given
from tests.sandbox import Sandbox

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def nothing_else_waits(app: None) -> None:
    """Other tests leave payments behind; here only those of this test are taken up."""
    Payment.update(ask_at=None).where(Payment.gateway == "sandbox").execute()
    Refund.update(ask_at=None).execute()
    GatewayEvent.update(retry_at=None).execute()


def pay(gateway: Any, invoice: Invoice, outcome: str = "4242", *, method: str = "card", **more: Any) -> Payment:
    order = taking.order(reference=str(invoice.number), details={"sandbox_outcome": outcome})
    return taking.pay(gateway, wanted(invoice, method=method, order=order, **more), NOWHERE, NOW, "test")


def resolve(gateway: Any, now: datetime) -> list[str]:
    return list(catching_up.resolve(gateway, NOWHERE, now))


def stage(payment: Payment) -> str:
    return str(Payment.get_by_id(payment.id).stage)


def test_an_answer_that_was_lost_is_asked_for_again_with_the_same_key(
    given: Given, acme: Account, line: Line, sandbox: Sandbox
) -> None:
    invoice = given.invoice(given.customer(acme))
    line.loses = {"start"}
    payment = pay(line, invoice)
    assert (payment.stage, left(invoice)) == ("begun", ("issued", 4000))
    line.loses = set()

    assert resolve(line, NOW + 29 * SECOND) == []
    said = resolve(line, NOW + 30 * SECOND)

    assert said == [f"payment {payment.id} is succeeded now"]
    assert left(invoice) == ("paid", 0)
    assert len(sandbox.payments(payment.id)) == 1


def test_what_is_not_answered_is_asked_again_ever_more_seldom(given: Given, acme: Account, line: Line) -> None:
    line.loses = {"start"}
    payment = pay(line, given.invoice(given.customer(acme)))
    now, pauses = NOW, []

    for _ in range(6):
        ask_at = Payment.get_by_id(payment.id).ask_at
        pauses.append(ask_at - now)
        now = ask_at
        with pytest.raises(Unreachable):
            resolve(line, now)

    assert pauses == [30 * SECOND, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, HOUR]


def test_after_twenty_hours_a_payment_is_looked_for_and_never_posted_again(
    given: Given, acme: Account, line: Line
) -> None:
    line.loses = {"start"}
    payment = pay(line, given.invoice(given.customer(acme)))
    line.asked.clear()

    resolve(line, NOW + 20 * HOUR)

    assert (line.asked, stage(payment)) == (["find"], "succeeded")


def test_what_nobody_knows_of_after_a_day_is_the_operators_and_stays_locked(
    given: Given, acme: Account, line: Line
) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = attempts.begin(invoice, now=NOW)

    said = [resolve(line, NOW + hours * HOUR) for hours in (20, 23, 24, 25, 26)]

    told = f"payment {payment.id} is not resolved after 24 hours: look for it at the gateway"
    assert said == [[], [], [told], [], []]
    assert line.asked == ["find"] * 5
    assert Record.select().where(Record.subject == payment.id, Record.deed == "payment.unresolved").count() == 1
    assert [row.payment_id for row in Allocation.live([invoice.id])] == [payment.id]


def test_who_does_not_confirm_within_the_hour_frees_the_invoice(
    given: Given, acme: Account, line: Line, sandbox: Sandbox
) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = pay(line, invoice, "3155")
    assert (stage(payment), resolve(line, NOW + 59 * MINUTE)) == ("action", [])

    assert resolve(line, NOW + 60 * MINUTE) == [f"payment {payment.id} is canceled now"]

    assert Allocation.live([invoice.id]) == []
    assert sandbox.gateway.look(str(payment.gateway_ref)).stage == "canceled"


def test_micro_deposits_are_waited_for_ten_days(given: Given, acme: Account, line: Line) -> None:
    payment = pay(line, given.invoice(given.customer(acme)), "micro_deposits", method="us_bank_account")

    assert resolve(line, NOW + timedelta(days=9, hours=23)) == []
    resolve(line, NOW + timedelta(days=10))

    assert stage(payment) == "canceled"


@pytest.mark.parametrize(("how", "ends"), [("revoked", "canceled"), ("refreshed", "action")])
def test_a_payer_whose_link_is_revoked_on_purpose_can_no_longer_do_her_part(
    given: Given, acme: Account, line: Line, how: str, ends: str
) -> None:
    invoice = given.invoice(given.customer(acme))
    link = Link.of_invoice(invoice.id)
    payment = pay(line, invoice, "3155", link_id=link.id)
    if how == "revoked":
        link.revoke(NOW + SECOND, "test")
    else:
        Link.reissue(invoice, acme, "Etc/UTC", NOW + SECOND, "k1", "test")

    resolve(line, NOW + 5 * SECOND)

    assert stage(payment) == ends


def test_one_that_succeeds_while_it_is_given_up_is_booked(
    given: Given, acme: Account, line: Line, sandbox: Sandbox
) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = pay(line, invoice, "3155")
    confirmed = requests.post(f"{sandbox.url}/confirm/{payment.gateway_ref}", data={"answer": "approve"}, timeout=10)
    assert confirmed.status_code < 400

    resolve(line, NOW + 2 * HOUR)

    assert left(invoice) == ("paid", 0)


def test_money_on_its_way_is_asked_about_now_and_then(
    given: Given, acme: Account, line: Line, sandbox: Sandbox
) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = pay(line, invoice, "settles", method="us_bank_account")
    sandbox.settle(str(payment.gateway_ref))

    assert (stage(payment), resolve(line, NOW + 5 * HOUR)) == ("processing", [])
    resolve(line, NOW + 6 * HOUR)

    assert left(invoice) == ("paid", 0)


def test_a_payment_is_taken_up_by_one_worker(given: Given, acme: Account) -> None:
    payment = attempts.begin(given.invoice(given.customer(acme)), now=NOW)

    first, second = (asking.payments("sandbox", NOW + MINUTE, 9) for _ in range(2))

    assert ([row.id for row in first], second) == ([payment.id], [])
    assert asking.payments("sandbox", NOW + MINUTE + asking.LEASE, 9)  # the worker that took it died


def test_a_refund_whose_answer_was_lost_is_made_once(given: Given, acme: Account, line: Line, sandbox: Sandbox) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = pay(line, invoice)
    line.loses = {"refund"}
    refund = returning.refund(line, payment.id, [Share(invoice.id, 1500)], NOW, "test")
    assert refund.stage == "begun"
    line.loses = set()

    list(catching_up.refunds(line, NOW + 30 * SECOND))

    assert Refund.get_by_id(refund.id).stage in ("pending", "succeeded")
    assert left(invoice) == ("paid", 0)
    assert payment.id not in reconciling.report(line, NOW).differing


def test_a_refund_that_nobody_answers_for_a_day_is_the_operators(given: Given, acme: Account, line: Line) -> None:
    payment = pay(line, given.invoice(given.customer(acme)))
    line.loses = {"refund"}
    refund = returning.refund(line, payment.id, None, NOW, "test")
    line.asked.clear()

    said = [list(catching_up.refunds(line, NOW + hours * HOUR)) for hours in (21, 25, 27)]

    assert said == [[], [f"refund {refund.id} is not resolved after 24 hours: look for it at the gateway"], []]
    assert line.asked == []


def test_news_that_was_never_posted_is_read_and_once(given: Given, acme: Account, line: Line, sandbox: Sandbox) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = pay(line, invoice)
    now = datetime.now(UTC)  # the sandbox has a clock of its own
    GatewayCursor.move("sandbox", now + catching_up.OVERLAP)  # what other tests had it do is not read
    sandbox.control(dispute={"payment": payment.gateway_ref, "stage": "lost"})

    first, again = (list(catching_up.read(line, now + minutes * MINUTE)) for minutes in (60, 61))

    assert left(invoice) == ("issued", 4000)
    assert (len(first), again) == (1, [])


def test_no_news_is_missed_by_a_clock_that_was_ahead(given: Given, acme: Account, line: Line, sandbox: Sandbox) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = pay(line, invoice)
    now = datetime.now(UTC)
    GatewayCursor.move("sandbox", now)
    list(catching_up.read(line, now + 24 * HOUR))
    sandbox.control(dispute={"payment": payment.gateway_ref, "stage": "lost"})

    list(catching_up.read(line, now))

    assert left(invoice) == ("issued", 4000)


def test_news_that_overtakes_its_payment_waits_for_it(given: Given, acme: Account) -> None:
    invoice = given.invoice(given.customer(acme))
    payment = attempts.begin(invoice, now=NOW)
    attempts.tell(attempts.refund(payment, "succeeded", 1000), NOW)
    attempts.tell(attempts.of(payment, "succeeded"), NOW)

    said = list(catching_up.orphans(attempts.GATEWAY, NOW + MINUTE))

    assert len(said) == 1
    assert attempts.booked(payment) == {"received": 4000, "refunded": -1000, "written_off": 1000}
    assert list(catching_up.orphans(attempts.GATEWAY, NOW + HOUR)) == []


def test_news_of_nothing_is_said_once_and_not_before_a_quarter_of_an_hour(given: Given, acme: Account) -> None:
    payment = attempts.begin(given.invoice(given.customer(acme)), now=NOW)
    attempts.tell(attempts.refund(payment, "succeeded", 1000), NOW, id=f"evt_{payment.id}")

    said = [list(catching_up.orphans(attempts.GATEWAY, NOW + minutes * MINUTE)) for minutes in (1, 3, 7, 15, 31, 63)]

    told = f"something (evt_{payment.id}) is about nothing that is known here"
    assert said == [[], [], [], [told], [], []]


def test_a_gateway_that_does_not_answer_is_said_once_and_stops_nothing_else(
    given: Given, acme: Account, kid: str, sandbox: Sandbox
) -> None:
    customer = given.customer(acme)
    caught = CatchingUp(Client(lambda: "http://127.0.0.1:9", "key", "secret"), NOWHERE)  # nobody listens there
    said, issued = [], []
    for round in range(4):
        now = NOW + round * 20 * SECOND
        draft = given.invoice(customer, issued=False, will_auto_issue=True, eligible_to_issue_at=now)
        said += list(worker.deeds(now, kid, catching_up=caught))
        issued.append(Invoice.get_by_id(draft.id).status)
    caught.gateway = sandbox.gateway
    said += list(worker.deeds(NOW + 5 * MINUTE, kid, catching_up=caught))

    about = [deed.partition(" (")[0] for deed in said if deed.startswith("the gateway sandbox")]
    assert about == ["the gateway sandbox does not answer", "the gateway sandbox answers again"]
    assert issued == ["issued"] * 4


def test_one_payment_that_is_never_answered_does_not_keep_all_else_waiting(
    given: Given, acme: Account, line: Line, sandbox: Sandbox
) -> None:
    pay(line, given.invoice(given.customer(acme)), "settles", method="us_bank_account")
    GatewayCursor.move("sandbox", datetime.now(UTC) + catching_up.OVERLAP)
    caught = CatchingUp(cast("Gateway", line), NOWHERE)
    line.loses = {"look"}

    rounds = []
    for seconds in (0, 15, 30):
        line.asked.clear()
        list(caught.deeds(NOW + 6 * HOUR + seconds * SECOND))
        rounds.append(list(line.asked))

    assert rounds == [["look"], [], ["since"]]


def test_a_worker_without_a_gateway_asks_none(given: Given, acme: Account, kid: str) -> None:
    payment = attempts.begin(given.invoice(given.customer(acme)), now=NOW)

    list(worker.deeds(NOW + HOUR, kid))

    assert CatchingUp.at(None, "http://127.0.0.1:8000") is None
    assert Payment.get_by_id(payment.id).tries == 0


class Books:
    """A gateway that has these events, and nothing else."""

    name, live = "sandbox", False

    def __init__(self, *news: PaymentNews | RefundNews | DisputeNews) -> None:
        self.news = news

    def since(self, moment: datetime) -> Iterator[Told]:
        return iter([Told(new_id(), moment, "something", one) for one in self.news])

    def look(self, ref: str) -> PaymentNews:
        raise Refused("there is none")


def test_both_books_are_compared_payment_by_payment_and_currency_by_currency(given: Given, acme: Account) -> None:
    start = NOW + timedelta(days=365)  # everything of other tests began before
    dollars, euros = (given.invoice(given.customer(acme, currency=currency)) for currency in ("USD", "EUR"))
    one, two = attempts.paid(dollars, now=start), attempts.paid(euros, now=start)
    attempts.tell(attempts.refund(one, "pending", 1000), start)
    attempts.tell(attempts.dispute(two, "lost", 700), start)
    told = [
        attempts.of(one, "succeeded"),
        attempts.of(one, "processing"),
        attempts.refund(one, "pending", 1000),
        attempts.of(two, "succeeded"),
        attempts.dispute(two, "lost", 700),
        attempts.dispute(two, "opened", 700),
        attempts.of(two, "succeeded", payment_id=None, ref="of others"),
    ]

    same = reconciling.report(cast("Gateway", Books(*told)), start)
    missing = reconciling.report(cast("Gateway", Books(*told[:3])), start)
    unknown = attempts.of(two, "succeeded", payment_id="never heard of", ref="new", amount=5)
    more = reconciling.report(cast("Gateway", Books(*told, unknown)), start)

    assert [(sums.currency, sums.ours, sums.theirs) for sums in same.sums] == [("EUR", 3300, 3300), ("USD", 3000, 3000)]
    assert same.differing == []
    assert [sums.difference for sums in missing.sums] == [3300, 0]
    assert missing.differing == [two.id]
    assert ([sums.difference for sums in more.sums], more.differing) == ([-5, 0], ["never heard of"])
