"""The cashier takes payments to their gateway and brings home what it says: above models and gateways, below the rest.

While a gateway is asked no transaction is open: what is wanted was written down before, what was answered is after.
"""
