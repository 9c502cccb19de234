"""Customers, described."""

from __future__ import annotations

from portal.api import customers, paging
from portal.api.answers.customer import Customer, CustomerPage, DeletedCustomer
from portal.api.reference.call import Call, Section

CHANGE = (
    "Changes what is named. Null empties what may be empty; a key of `metadata` whose value is null is taken away, and "
    "null instead of all takes all. `timezone` stands, and `external_customer_id` once it is set."
)
CHANGED = {"name": "Globex International", "metadata": {"team": "south"}}

CUSTOMERS = Section(
    "Customers",
    "Who is billed, by our id or by your own. One customer has one currency; her first invoice settles it if you did "
    "not. `timezone` decides where her days begin.",
    {
        customers.create: Call(
            "Create a customer",
            Customer,
            "Gives her a permanent link, `portal_url`, unless the account or `permanent_portal_link: false` says no.",
            status=201,
            body=customers.NewCustomer,
            example={
                "name": "Globex",
                "email": "ap@globex.example",
                "external_customer_id": "crm-7",
                "currency": "USD",
                "timezone": "America/New_York",
            },
        ),
        customers.listed: Call("List customers", CustomerPage, "All customers, the newest first.", query=paging.Dated),
        customers.fetch: Call("Fetch a customer", Customer | DeletedCustomer),
        customers.update: Call("Change a customer", Customer, CHANGE, body=customers.CustomerChanges, example=CHANGED),
        customers.delete: Call(
            "Delete a customer",
            None,
            "Erases what is known of her, and ends her links. Refused while she has issued invoices.",
            status=204,
            refused="This customer has issued invoices, so she cannot be deleted.",
        ),
        customers.fetch_by_external_id: Call("Fetch a customer by your id", Customer),
        customers.update_by_external_id: Call(
            "Change a customer by your id", Customer, CHANGE, body=customers.CustomerChanges, example=CHANGED
        ),
    },
)
