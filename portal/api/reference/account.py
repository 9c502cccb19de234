"""The account, the key and this document, described."""

from __future__ import annotations

from typing import Any

from portal.api import account, account_settings, ping
from portal.api.answers.account import Account
from portal.api.answers.problem import Pong
from portal.api.reference import page
from portal.api.reference.call import Call, Section

PICTURES = ("image/png", "image/jpeg", "image/webp", "multipart/form-data")

ACCOUNT = Section(
    "Account",
    "The account whose key is shown: its settings and its logo. Ours, but for `ping`.",
    {
        ping.ping: Call("Try the key", Pong, "Answered where the key is good, and with 401 where it is not."),
        account.fetch: Call("Fetch the account", Account),
        account.update: Call(
            "Change the account",
            Account,
            "All of a call's changes are made, or none.",
            body=account_settings.Settings,
            example={"support_email": "help@acme.example", "accent_color": "#0b5cad"},
            refused="customer_portal_sessions_only is on for ever.",
        ),
        account.put_logo: Call(
            "Put the logo",
            Account,
            "The image itself is the body, or the one file of a form: PNG, JPEG or WebP, at most 512 kB.",
            files=PICTURES,
        ),
        account.remove_logo: Call("Remove the logo", Account),
        page.openapi: Call("Fetch this document", dict[str, Any], "OpenAPI 3.1, as JSON.", public=True),
    },
)
