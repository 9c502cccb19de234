"""The account that asks: its settings and its logo."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from portal import current
from portal.api import errors, shapes
from portal.api.account_settings import Settings, columns
from portal.api.body import body
from portal.api.logo import LARGEST_FILE, NotALogo, drawn
from portal.models import offering
from portal.models.account import Account, Logo
from portal.models.base import locked
from portal.models.record import Record

routes = Blueprint("account", __name__)

AROUND_A_FILE = 16 * 1024  # bytes that a form adds to the file it carries
SETTINGS = (
    "name",
    "support_email",
    "accent_color",
    "timezone",
    "memo",
    "footer",
    "embed_origins",
    "payment_methods",
    "payment_method_limits",
    "save_payment_method",
    "partial_payments",
    "bank_accounts",
    "reminders",
    "invoice_link_days_after_due",
    "refreshed_link_days",
    "hide_voided_invoices",
    "hide_zero_quantity_lines",
    "customer_portal_sessions_only",
)


@routes.before_request
def let_logos_in() -> None:
    """Images are larger than other bodies may be."""
    if request.method == "PUT":
        request.max_content_length = LARGEST_FILE + AROUND_A_FILE


@routes.get("/account")
def fetch() -> dict[str, Any]:
    return _shape(current.account())


@routes.patch("/account")
def update() -> dict[str, Any]:
    given = body(Settings)
    account = _held()
    changes = columns(given, account.company, loopback=current.settings().loopback)
    account.configure(changes, current.now(), current.actor())
    return _shape(account)


@routes.put("/account/logo")
def put_logo() -> dict[str, Any]:
    """Takes the image as the body, or as the one file of a form."""
    try:
        image = drawn(_uploaded())
    except NotALogo as error:
        raise errors.invalid(str(error)) from None
    account = _held()
    fields = {"png": image.png, "width": image.width, "height": image.height, "digest": image.digest}
    fields["created_at"] = current.now()
    Logo.insert(account=account, **fields).on_conflict(conflict_target=[Logo.account], update=fields).execute()
    Record.write(account.id, current.now(), current.actor(), "account.logo_changed", account.id, digest=image.digest)
    return _shape(account)


@routes.delete("/account/logo")
def remove_logo() -> dict[str, Any]:
    account = _held()
    if Logo.delete().where(Logo.account == account).execute():
        Record.write(account.id, current.now(), current.actor(), "account.logo_removed", account.id)
    return _shape(account)


def _held() -> Account:
    """The account, locked until the transaction ends."""
    return locked(Account.select().where(Account.id == current.account().id)).get()


def _uploaded() -> bytes:
    if request.mimetype == "multipart/form-data":
        files = list(request.files.values())
        return files[0].read() if len(files) == 1 else b""
    return request.get_data()


def _shape(account: Account) -> dict[str, Any]:
    company = dict.fromkeys(("name", "address", "tax_id")) | account.company
    return {
        "id": account.id,
        "created_at": shapes.stamp(account.created_at),
        "mode": account.mode,
        "number_prefix": account.number_prefix,
        "company": company,
        **{name: getattr(account, name) for name in SETTINGS},
        "payment_methods": offering.methods(account, current.gateway()),
        "logo": _logo(account),
    }


def _logo(account: Account) -> dict[str, Any] | None:
    logo = Logo.select(Logo.width, Logo.height, Logo.digest, Logo.created_at).where(Logo.account == account).first()
    if logo is None:
        return None
    return {
        "width": logo.width,
        "height": logo.height,
        "digest": logo.digest,
        "created_at": shapes.stamp(logo.created_at),
    }
