"""Payments from beginning to end. What was charged is one row, and stays."""

from __future__ import annotations

from typing import Any

from portal.domain.money import UnknownCurrency, exponent
from portal.sandbox import disputes, events, payers
from portal.sandbox.asked import NewPayment
from portal.sandbox.book import Entry, ref
from portal.sandbox.outcomes import DEFAULTS, MICRO_DEPOSITS, ONLY_IN, OUTCOMES, Outcome, outcome
from portal.sandbox.refusal import NotThere, Refused

SMALLEST = 50  # minor units, of currencies with up to two decimals
NEVER = 2**63 - 1  # is nothing due that has waited since then
TRIES = 3  # at the amounts of the micro-deposits


def make(entry: Entry, asked: NewPayment) -> str:
    """Begins the payment and takes it as far as it goes at once. Raises Refused."""
    code, label = _chosen(entry, asked)
    _check(asked, code)
    chosen = outcome(asked.method, code)
    payer = payers.known(entry, asked.payer.id, asked.payer.name, asked.payer.email)
    made = ref("pay")
    entry.add(
        "payment",
        ref=made,
        payment_id=asked.payment_id,
        amount=asked.amount,
        currency=asked.currency,
        method=asked.method,
        outcome=code,
        label=label or chosen.label,
        stage="begun",
        payer=payer,
        saves=asked.saves and asked.saved is None,
        saved=asked.saved,
        reference=asked.reference,
        notify_url=asked.notify_url,
        since=entry.now,
        made_at=entry.now,
    )
    if chosen.action is None or (asked.saved and chosen.action == "micro_deposits"):
        _confirmed(entry, made, chosen)
    elif asked.present:
        _move(entry, made, "action")
    else:
        _move(entry, made, "failed", "not_confirmed")
    return made


def shape(entry: Entry, ref: str) -> dict[str, Any]:
    """The payment, in the shape of the portal's own news. Raises NotThere."""
    row = there(entry, ref)
    return {
        "object": "payment",
        "ref": ref,
        "live": False,
        "saved": payers.saved(entry, row["saved"]) if row["saves"] and row["saved"] else None,
        "action": _action(entry, row) if row["stage"] == "action" else None,
        "payer_ref": row["payer"],
        **{key: row[key] for key in ("payment_id", "stage", "amount", "currency", "method", "label", "failure")},
    }


def found(entry: Entry, payment_id: str | None) -> list[dict[str, Any]]:
    """Payments, the earliest first: all, or those of one payment of the portal's."""
    rows = entry.all(
        "SELECT ref FROM payment WHERE payment_id = ? OR ? IS NULL ORDER BY made_at, rowid", payment_id, payment_id
    )
    return [shape(entry, row["ref"]) for row in rows]


def there(entry: Entry, ref: str) -> Any:
    row = entry.one("SELECT * FROM payment WHERE ref = ?", ref)
    if row is None:
        raise NotThere(f"There is no payment {ref}.")
    return row


def cancel(entry: Entry, ref: str) -> None:
    """Ends it while it waits for its payer; later than that it goes on as if nobody had asked."""
    if there(entry, ref)["stage"] == "action":
        _move(entry, ref, "canceled")


def confirm(entry: Entry, ref: str, approved: bool) -> None:
    """What the payer said to her bank. Once it has gone on, nothing changes."""
    row = there(entry, ref)
    if row["stage"] == "action" and approved:
        _confirmed(entry, ref, outcome(row["method"], row["outcome"]))
    elif row["stage"] == "action":
        _move(entry, ref, "failed", "not_confirmed")


def verify(entry: Entry, ref: str, amounts: tuple[int, int]) -> bool:
    """Are these the amounts of the micro-deposits? After three wrong answers the payment fails."""
    row = there(entry, ref)
    right = sorted(amounts) == sorted(MICRO_DEPOSITS)
    if row["stage"] == "action" and right:
        _confirmed(entry, ref, outcome(row["method"], row["outcome"]))
    elif row["stage"] == "action":
        entry.change("payment", ref, tries=row["tries"] + 1)
        if row["tries"] + 1 >= TRIES:
            _move(entry, ref, "failed", "wrong_details")
    return right


def settle(entry: Entry, ref: str) -> None:
    """Lets the days pass that a payment waits for: it succeeds or fails; or it was a success and is returned."""
    row = there(entry, ref)
    chosen = outcome(row["method"], row["outcome"])
    if row["waits"] == "return":
        entry.change("payment", ref, waits=None)
        disputes.returned(entry, row)
    elif row["waits"] == "settle" and chosen.failure:
        _move(entry, ref, "failed", chosen.failure)
    elif row["waits"] == "settle":
        _move(entry, ref, "succeeded", waits="return" if chosen.returned else None)


def settle_due(entry: Entry, before: int) -> int:
    """Settles all that has waited since before this moment."""
    rows = entry.all("SELECT ref FROM payment WHERE waits IS NOT NULL AND since <= ? ORDER BY since", before)
    for row in rows:
        settle(entry, row["ref"])
    return len(rows)


def _chosen(entry: Entry, asked: NewPayment) -> tuple[str, str | None]:
    """The outcome and the label: the saved method's, else what the form said."""
    if asked.saved is None:
        return asked.outcome or DEFAULTS.get(asked.method, ""), None
    kept = entry.one("SELECT * FROM method WHERE ref = ? AND NOT removed", asked.saved)
    owner = entry.one("SELECT ref FROM payer WHERE id = ?", asked.payer.id)
    if kept is None or owner is None or kept["payer"] != owner["ref"]:
        raise Refused("The saved method is no longer there.", "gone")
    if kept["method"] != asked.method:
        raise Refused(f"The saved method is a {kept['method']}, not a {asked.method}.", "not_supported")
    return kept["outcome"], kept["label"]


def _check(asked: NewPayment, code: str) -> None:
    if code not in OUTCOMES.get(asked.method, {}):
        raise Refused(f"A {asked.method} has no outcome {code}.", "not_supported")
    if ONLY_IN.get(asked.method, asked.currency) != asked.currency:
        raise Refused(f"A {asked.method} is charged in {ONLY_IN[asked.method]} only.", "not_supported")
    try:
        smallest = SMALLEST * 10 ** max(exponent(asked.currency) - 2, 0)
    except UnknownCurrency:
        raise Refused(f"There is no currency {asked.currency}.", "not_supported") from None
    if asked.amount < smallest:
        raise Refused(f"The smallest amount is {smallest} minor units.", "not_supported")


def _confirmed(entry: Entry, ref: str, chosen: Outcome) -> None:
    """Nothing is left for the payer to do."""
    if chosen.failure and not chosen.settles_later:
        _move(entry, ref, "failed", chosen.failure)
        return
    row = there(entry, ref)
    if row["saves"]:
        kept = payers.keep(entry, row["payer"], row["method"], row["outcome"], row["notify_url"])
        entry.change("payment", ref, saved=kept)
    if chosen.settles_later:
        _move(entry, ref, "processing", waits="settle")
        if chosen.stays:
            entry.change("payment", ref, since=NEVER)
    else:
        _move(entry, ref, "succeeded")


def _move(entry: Entry, ref: str, stage: str, failure: str | None = None, waits: str | None = None) -> None:
    entry.change("payment", ref, stage=stage, failure=failure, waits=waits, since=entry.now)
    row = there(entry, ref)
    events.tell(entry, f"payment.{stage}", shape(entry, ref), row["notify_url"])


def _action(entry: Entry, row: Any) -> dict[str, str]:
    kind = outcome(row["method"], row["outcome"]).action or "page"
    return {"kind": kind, "url": f"{entry.base_url}/{'confirm' if kind == 'page' else 'verify'}/{row['ref']}"}
