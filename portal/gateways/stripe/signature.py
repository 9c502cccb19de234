"""A webhook is from Stripe if one of our secrets has signed its very bytes, within five minutes of now."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import stripe
from stripe import WebhookSignature

from portal.gateways import Unsigned

HEADER = "Stripe-Signature"
TOLERANCE_SECONDS = 300
_PART = re.compile(r"(t|v\d)=([0-9a-f]{1,128})", re.ASCII)
_MOMENT = re.compile(r"[1-9]\d{0,11}", re.ASCII)


def check(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Raises Unsigned."""
    header = next((value for name, value in headers.items() if name.lower() == HEADER.lower()), "")
    if abs(_moment(header) - now.timestamp()) > TOLERANCE_SECONDS:
        raise Unsigned("It was signed more than 5 minutes ago, or in the future.")
    if not any(_signed(body, header, secret) for secret in secrets):
        raise Unsigned("The signature is of none of PORTAL_STRIPE_WEBHOOK_SECRETS.")


def _moment(header: str) -> int:
    """The SDK takes what was signed in the future, and reads numbers generously: hence a look of our own."""
    parts = [_PART.fullmatch(part) for part in header.split(",")]
    moments = [part[2] for part in parts if part and part[1] == "t"]
    if not all(parts) or len(moments) != 1 or not _MOMENT.fullmatch(moments[0]):
        raise Unsigned(f"There is no {HEADER}, or it cannot be read.")
    return int(moments[0])


def _signed(body: bytes, header: str, secret: str) -> bool:
    try:
        return bool(WebhookSignature.verify_header(body, header, secret))
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
