"""`portal payment reconcile` says for each currency what is left of payments here and at the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from portal.cashier import catching_up, taking
from portal.cli import main
from portal.models import base
from portal.models.account import Account
from portal.models.gateway_event import GatewayCursor
from portal.models.payment import Payment
from tests.attempts import left, wanted
from tests.given import Given
from tests.sandbox import LINK_KEYS, NOWHERE, SECRET_KEY, Sandbox


@pytest.fixture(autouse=True)
def _same_database_afterwards() -> Iterator[None]:
    bound = base.db.obj
    yield
    base.db.initialize(bound)


@pytest.fixture
def run(migrated: str, tmp_path: Path) -> Any:
    def reconcile(**more: str) -> Result:
        env = {
            "PORTAL_DATA_DIR": str(tmp_path),
            "PORTAL_DATABASE_URL": migrated,
            "PORTAL_LINK_KEYS": LINK_KEYS,
            "PORTAL_SECRET_KEY": SECRET_KEY,
            **more,
        }
        found = CliRunner().invoke(main, ["payment", "reconcile"], env=env)
        base.db.connect(reuse_if_open=True)  # the command has closed it
        return found

    return reconcile


def test_without_a_gateway_there_is_nobody_to_ask(app: Any, run: Any) -> None:
    found = run()

    assert found.exit_code != 0
    assert "set PORTAL_GATEWAY" in found.output


def test_a_gateway_that_does_not_answer_is_said(app: Any, run: Any) -> None:
    found = run(PORTAL_GATEWAY="sandbox", PORTAL_SANDBOX_URL="http://127.0.0.1:9")

    assert found.exit_code != 0
    assert "The gateway does not answer" in found.output


def test_what_was_missed_is_heard_and_both_books_are_compared(
    given: Given, acme: Account, clock: Any, run: Any, sandbox: Sandbox
) -> None:
    Payment.update(ask_at=None).execute()  # what other tests have left is not taken up
    invoice = given.invoice(given.customer(acme))
    order = taking.order(reference=str(invoice.number), details={"sandbox_outcome": "settles"})
    asked = wanted(invoice, method="us_bank_account", order=order)
    payment = taking.pay(sandbox.gateway, asked, NOWHERE, clock.now, "test")
    # The sandbox and the command have clocks of their own; what other tests had them do is not read.
    GatewayCursor.move("sandbox", datetime.now(UTC) + catching_up.OVERLAP)
    sandbox.settle(str(payment.gateway_ref))

    found = run(PORTAL_GATEWAY="sandbox", PORTAL_SANDBOX_URL=sandbox.url)

    assert left(invoice) == ("paid", 0)
    assert f"Payment {payment.id} differs" not in found.output
    assert [line for line in found.output.splitlines() if line.startswith("USD here ")]
