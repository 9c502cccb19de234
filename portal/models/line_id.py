"""The id of a line begins as that of its invoice does, so that whoever knows the line finds the invoice."""

from __future__ import annotations

import hashlib
from typing import Any

from portal.models.base import ALPHABET, ID_LENGTH, is_postgresql
from portal.models.invoice import Invoice

HEAD = 8  # characters of the invoice's id: one of very many invoices, and seldom two


def line_id(invoice_id: str, name: str) -> str:
    """The id of the invoice's line of this name: the same whenever a draft is worked out again."""
    number = int.from_bytes(hashlib.blake2b(f"{invoice_id} {name}".encode(), digest_size=8).digest())
    tail = ""
    while len(tail) < ID_LENGTH - HEAD:
        number, digit = divmod(number, len(ALPHABET))
        tail += ALPHABET[digit]
    return invoice_id[:HEAD] + tail


def may_hold(line_id: str) -> Any:
    """The condition that an invoice is one to which `line_id` may have been given here."""
    # In a comparison of this kind both databases take the capital and the small letter for two.
    return Invoice.id % (line_id[:HEAD] + ("%" if is_postgresql() else "*"))
