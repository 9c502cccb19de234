"""A self-hosted invoice and customer portal, opened by signed links.

The floors, from the ground up (`tests/test_architecture.py` keeps them):

    domain      what is true: money, periods, prices, bills. Pure functions, no framework, no clock
    models      what is remembered: Peewee rows and the verbs on them
    gateways    who moves money                 delivery   what leaves the house
    documents   what can be kept                tokens     the signed text in a link
    cashier     takes payments to their gateway and makes true what it says
    web         what people see                 api        what programs see
    current     what one request may reach for  config     every setting
    secret_store  what signs, and how it lies on disk
    stamps      the signed text in a form
    app, cli    know every floor, and nothing imports them
    sandbox     a bank that moves no money: a process of its own, which the portal knows over HTTP only

Know the noun (invoice, customer, link, usage, ...) and you know the file, on every floor.
"""
