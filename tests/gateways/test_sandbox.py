"""The sandbox keeps the contract with gateways: its client, over HTTP, against the process itself."""

from __future__ import annotations

from tests.sandbox import Sandbox, order


def test_a_card_that_succeeds_is_paid_at_once(sandbox: Sandbox) -> None:
    asked = order("4242")

    news = sandbox.gateway.start(asked)

    assert (news.stage, news.amount, news.currency, news.method) == ("succeeded", 1000, "USD", "card")
    assert (news.payment_id, news.label, news.live) == (asked.payment_id, "Visa ending in 4242", False)
