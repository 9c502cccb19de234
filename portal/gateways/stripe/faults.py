"""What Stripe says when it says no: as a reason that a payer can act on, and as an error of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import stripe

from portal.gateways import Failure, Refused, Unreachable

# What reading an object of another shape than the documented one raises.
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, OverflowError)

_CODES: dict[Failure, str] = {
    "insufficient_funds": "insufficient_funds card_velocity_exceeded withdrawal_count_limit_exceeded",
    "expired_card": "expired_card",
    "wrong_details": """
        incorrect_number invalid_number incorrect_cvc invalid_cvc incorrect_zip incorrect_address incorrect_pin
        invalid_expiry_month invalid_expiry_year invalid_account invalid_account_number no_account account_closed
        account_number_invalid routing_number_invalid invalid_bank_account_iban bank_ownership_changed
        payment_method_invalid_parameter parameter_invalid_empty
    """,
    "not_confirmed": """
        authentication_required authentication_not_handled payment_intent_authentication_failure
        payment_method_microdeposit_failed payment_method_microdeposit_verification_amounts_invalid
        payment_method_microdeposit_verification_amounts_mismatch
        payment_method_microdeposit_verification_attempts_exceeded
        payment_method_microdeposit_verification_descriptor_code_mismatch
        payment_method_microdeposit_verification_timeout
    """,
    "not_authorized": "debit_not_authorized payment_method_customer_decline customer_decline bank_account_restricted",
    "not_supported": """
        amount_too_small amount_too_large currency_not_supported invalid_currency card_not_supported
        payment_method_currency_mismatch payment_method_unsupported_type payment_method_not_available
        payment_intent_payment_attempt_failed_amount transaction_not_allowed invalid_amount
    """,
    "gone": "payment_intent_mandate_invalid mandate_invalid payment_method_unexpected_state payment_method_detached",
    "declined": "card_declined generic_decline do_not_honor declined payment_method_provider_decline",
}
_FAILURES: dict[str, Failure] = {code: failure for failure, codes in _CODES.items() for code in codes.split()}
# One of these says nothing about an earlier attempt with the same key, which may well have come through.
_SAYS_NOTHING = {"idempotency_key_in_use", "lock_timeout", "api_key_expired", "platform_api_key_expired", "rate_limit"}


def failure(error: Mapping[str, Any]) -> Failure:
    """The reason in words of ours. The bank's own code says more than Stripe's."""
    for code in (error.get("decline_code"), error.get("code")):
        if code in _FAILURES:
            return _FAILURES[code]
    return "declined" if error.get("type") == "card_error" else "unknown"


def body(error: stripe.StripeError) -> Mapping[str, Any]:
    """What stands under `error` in the answer."""
    found = error.json_body.get("error") if isinstance(error.json_body, dict) else None
    return found if isinstance(found, dict) else {}


@contextmanager
def in_our_words() -> Iterator[None]:
    """Stripe's errors as ours, without what was sent and without a key.

    Refused means that nothing was made. What leaves that open (a key that is not accepted, one that was used for other
    parameters, an answer of another shape) is Unreachable.
    """
    try:
        yield
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        if error.code in _SAYS_NOTHING:
            raise Unreachable(_sentence(error)) from None
        raise Refused(_sentence(error), _why_refused(error)) from None
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise Unreachable(f"{_sentence(error)} Check PORTAL_STRIPE_SECRET_KEY.") from None
    except stripe.StripeError as error:
        raise Unreachable(_sentence(error)) from None
    except UNREADABLE as error:
        raise Unreachable(f"Stripe's answer cannot be read ({type(error).__name__}).") from None


def _why_refused(error: stripe.InvalidRequestError | stripe.CardError) -> Failure:
    if error.code == "resource_missing" and error.param == "payment_method":
        return "gone"
    if error.param == "confirmation_token":  # used already, or 12 hours old
        return "wrong_details"
    return failure(body(error))


def _sentence(error: stripe.StripeError) -> str:
    """Which request, which code: enough to find it in Stripe's dashboard, nothing that was typed."""
    kind = "Stripe cannot be reached" if isinstance(error, stripe.APIConnectionError) else "Stripe said no"
    known = {"status": error.http_status, "code": error.code, "request": error.request_id}
    details = ", ".join(f"{name} {value}" for name, value in known.items() if value)
    return f"{kind} ({details})." if details else f"{kind}."
