"""The sandbox: a server of its own that plays the bank, for the demo and for tests. No money moves here, ever.

It keeps a file of its own and speaks JSON over HTTP to `gateways.sandbox`, which is all that the portal knows of it.
"""
