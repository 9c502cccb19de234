"""The account, as it is answered."""

from __future__ import annotations

from typing import Literal

from portal.api.answers.customer import Method
from portal.api.answers.kinds import Address, Answer, Count, Currency, Id, Stamp, TaxId, UnitPrice, said


class Company(Answer):
    name: str | None = said("As it stands on invoices, where it differs from the account's.", "Acme, Inc.")
    address: Address | None
    tax_id: TaxId | None


class Limit(Answer):
    minimum: UnitPrice | None
    maximum: UnitPrice | None


class PartialPayments(Answer):
    allowed: bool
    minimum: UnitPrice | None


class BankAccount(Answer):
    currency: Currency
    holder: str = said("", "Acme, Inc.")
    iban: str | None = said("", "DE89370400440532013000")
    account_number: str | None
    routing_number: str | None
    bic: str | None


class Logo(Answer):
    width: Count = said("In pixels.", 400)
    height: Count = said("In pixels.", 80)
    digest: str = said("SHA-256 of the picture that is kept.")
    created_at: Stamp


class Account(Answer):
    """The account whose key was shown: its settings, and its logo."""

    id: Id
    created_at: Stamp
    mode: Literal["live", "test"]
    number_prefix: str = said("What invoice numbers begin with.", "JYEFHK")
    company: Company
    name: str = said("", "Acme")
    support_email: str | None = said("Who visitors may write to.", "help@acme.example")
    accent_color: str = said("", "#0b5cad")
    timezone: str = said("Where the account's own days begin.", "America/New_York")
    memo: str | None
    footer: str | None
    embed_origins: list[str] = said("Who may frame the portals.", ["https://app.acme.example"])
    payment_methods: list[Method]
    payment_method_limits: dict[Method, Limit]
    save_payment_method: Literal["off", "optional", "required"]
    partial_payments: PartialPayments
    bank_accounts: list[BankAccount]
    reminders: list[int] = said("Days from the due date; before it, negative.", [-3, 7])
    invoice_link_days_after_due: Count = said("", 30)
    refreshed_link_days: Count = said("", 60)
    hide_voided_invoices: bool
    hide_zero_quantity_lines: bool
    customer_portal_sessions_only: bool = said("Turned on once, and for ever.", False)
    logo: Logo | None
