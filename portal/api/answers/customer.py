"""A customer, as she is answered."""

from __future__ import annotations

from typing import Literal

from portal.api.answers.kinds import Address, Answer, Currency, Id, Money, Nothing, Page, Pairs, Stamp, TaxId, Url, said

Method = Literal["card", "us_bank_account", "sepa_debit", "bank_transfer"]


class Hierarchy(Answer):
    children: list[Id] = said("Always empty here.", [])
    parent: Nothing


class PaymentProvider(Answer):
    provider_type: Literal["stripe"]
    excluded_payment_method_types: list[str] | None
    default_shared_payment_token: str | None


class PaymentConfiguration(Answer):
    payment_providers: list[PaymentProvider] | None


class DefaultMethod(Answer):
    """A saved method, in the words of Orb's clients; `GET …/payment_methods` says more."""

    id: Id
    created_at: Stamp
    customer_id: Id
    default: Literal[True]
    external_payment_method_id: str = said("What the gateway calls it.", "pm_1OqT1b2eZvKYlo2C")
    payment_method_type: Literal["card", "us_bank_account"]
    provider_type: str = said("", "stripe")


class Customer(Answer):
    """Who is billed. What the portals show hangs on her."""

    id: Id
    external_customer_id: str | None = said("Your own id of her. It stands once it is set.", "crm-7")
    name: str = said("As it stands on invoices.", "Globex")
    email: str = said("Where letters go.", "ap@globex.example", json_schema_extra={"format": "email"})
    additional_emails: list[str]
    currency: Currency | None = said("Her one currency; null until her first invoice settles it.", "USD")
    timezone: str = said("Where her days begin.", "America/New_York")
    locale: str | None = said("How amounts and dates are written for her. Ours.", "en-US")
    billing_address: Address | None
    shipping_address: Address | None
    tax_id: TaxId | None
    metadata: Pairs
    created_at: Stamp
    balance: Money = said("Positive is credit, which her next invoice uses.", "0.00")
    portal_url: Url | None = said("Her permanent link; null where she has none.", "https://pay.acme.example/c/eyJ…/")
    permanent_portal_link: bool = said("Does she get a permanent link? Ours.", True)
    payment_methods: list[Method] | None = said("Narrows the account's. Ours.", ["card"])
    auto_collection: bool
    auto_issuance: bool | None
    email_delivery: bool
    payment_provider: str | None
    payment_provider_id: str | None
    payment_configuration: PaymentConfiguration | None
    default_payment_method: DefaultMethod | None = said(
        "What `pay` and the due date charge; null also where it is a SEPA debit, which Orb's clients do not know."
    )
    exempt_from_automated_tax: bool | None
    automatic_tax_enabled: bool | None
    hierarchy: Hierarchy
    accounting_sync_configuration: Nothing
    reporting_configuration: Nothing


class DeletedCustomer(Answer):
    """All that is left of a customer who was deleted."""

    id: Id
    deleted: Literal[True]


CustomerPage = Page[Customer]
