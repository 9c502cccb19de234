"""What may be asked of the sandbox, field by field; anything else is refused and named."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1, max_length=500)]
Amount = Annotated[int, Field(gt=0, le=10**16)]  # minor units
Rate = Annotated[float, Field(ge=0, le=1)]  # a share of calls
Seconds = Annotated[float, Field(ge=0, le=10**8)]


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class NewPayer(Asked):
    id: Text  # the portal's
    name: str
    email: str | None = None


class NewMethod(Asked):
    method: Text
    outcome: Text
    notify_url: Text | None = None


class NewPayment(Asked):
    payment_id: Text  # the portal's
    amount: Amount
    currency: Text
    method: Text
    outcome: str = ""  # what the form said; nothing is a success
    saved: Text | None = None
    saves: bool = False
    present: bool = True
    payer: NewPayer
    reference: str = ""
    notify_url: Text


class NewRefund(Asked):
    refund_id: Text  # the portal's
    payment: Text
    amount: Amount
    currency: Text


class Faults(Asked):
    """What goes wrong on purpose, and how long things take."""

    settle_seconds: Seconds = 10.0  # that a bank debit takes, and its return once more
    timeout_rate: Rate = 0.0  # of calls that do their work and do not answer
    unavailable_rate: Rate = 0.0  # of calls that do nothing and answer 503
    refuse_rate: Rate = 0.0  # of payments and refunds that are refused, unless their key made something before
    duplicate_rate: Rate = 0.0  # of events that are delivered twice
    reorder_seconds: Seconds = 0.0  # by which events are late at most, each by another time
    hold: bool = False  # deliver nothing: only GET /v1/events tells


class Dispute(Asked):
    payment: Text
    stage: Literal["opened", "lost", "won"]
    amount: Amount | None = None  # None: all of it


class DashboardRefund(Asked):
    payment: Text
    amount: Amount | None = None


class ChangedMethod(Asked):
    ref: Text
    outcome: Text | None = None
    expires: Text | None = None


class Deeds(Asked):
    """What a test may have happen, each now."""

    settle: Text | None = None  # a payment (a second time: its return) or a refund that is on its way
    fail_refund: Text | None = None
    dispute: Dispute | None = None
    refund: DashboardRefund | None = None
    remove_method: Text | None = None
    change_method: ChangedMethod | None = None
