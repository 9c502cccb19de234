"""Payers, and the methods that are kept for them."""

from __future__ import annotations

from typing import Any

from portal.sandbox import events
from portal.sandbox.book import Entry, ref
from portal.sandbox.outcomes import OUTCOMES, outcome
from portal.sandbox.refusal import NotThere, Refused


def known(entry: Entry, id: str, name: str, email: str | None) -> str:
    """The ref of the payer with this id of the portal's; the first time, a new one."""
    if row := entry.one("SELECT ref FROM payer WHERE id = ?", id):
        entry.change("payer", row["ref"], name=name, email=email)
        return str(row["ref"])
    made = ref("pyr")
    entry.add("payer", ref=made, id=id, name=name, email=email)
    return made


def keep(entry: Entry, payer: str, method: str, code: str, notify_url: str | None) -> str:
    """Saves a method that ends as `code` says whenever it is charged."""
    if entry.one("SELECT 1 FROM payer WHERE ref = ?", payer) is None:
        raise NotThere(f"There is no payer {payer}.")
    if code not in OUTCOMES.get(method, {}):
        raise Refused(f"A {method} has no outcome {code}.", "not_supported")
    chosen = outcome(method, code)
    made = ref("mth")
    entry.add(
        "method",
        ref=made,
        payer=payer,
        method=method,
        outcome=chosen.saved_as or code,
        label=chosen.label,
        expires=chosen.expires,
        notify_url=notify_url,
    )
    return made


def methods(entry: Entry, payer: str) -> list[dict[str, Any]]:
    if entry.one("SELECT 1 FROM payer WHERE ref = ?", payer) is None:
        raise NotThere(f"There is no payer {payer}.")
    rows = entry.all("SELECT * FROM method WHERE payer = ? AND NOT removed ORDER BY rowid", payer)
    return [_saved(row) for row in rows]


def saved(entry: Entry, method: str) -> dict[str, Any] | None:
    """A method as the payment that saved it tells of it, while it is there."""
    row = entry.one("SELECT * FROM method WHERE ref = ? AND NOT removed", method)
    return _saved(row) if row else None


def remove(entry: Entry, method: str) -> dict[str, Any]:
    row = _there(entry, method)
    entry.change("method", method, removed=1)
    return _tell(entry, "method.removed", row, None)


def change(entry: Entry, method: str, code: str | None, expires: str | None) -> dict[str, Any]:
    """Another outcome from now on, or a new date on the card."""
    row = _there(entry, method)
    if code is not None and code not in OUTCOMES[row["method"]]:
        raise Refused(f"A {row['method']} has no outcome {code}.", "not_supported")
    entry.change("method", method, outcome=code or row["outcome"], expires=expires or row["expires"])
    row = _there(entry, method)
    return _tell(entry, "method.changed", row, _saved(row))


def _there(entry: Entry, method: str) -> Any:
    row = entry.one("SELECT * FROM method WHERE ref = ? AND NOT removed", method)
    if row is None:
        raise NotThere(f"There is no saved method {method}.", "gone")
    return row


def _tell(entry: Entry, type: str, row: Any, saved: dict[str, Any] | None) -> dict[str, Any]:
    told = {"object": "method", "ref": row["ref"], "payer_ref": row["payer"], "live": False, "saved": saved}
    events.tell(entry, type, told, row["notify_url"])
    return told


def _saved(row: Any) -> dict[str, Any]:
    return {key: row[key] for key in ("ref", "method", "label", "expires")}
