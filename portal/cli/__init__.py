"""The `portal` command. Ids, keys and links stand alone on their line of stdout; what is said about them on stderr."""

from __future__ import annotations

import click

from portal.cli import accounts, backfill, keys, links, methods, payments, running, sandbox
from portal.cli.desk import Desk


@click.group(cls=Desk, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="invoice-portal", message="%(version)s")
def main() -> None:
    """A self-hosted invoice and customer portal. Settings are environment variables PORTAL_…, all in the README."""


for command in (
    running.demo,
    running.openapi,
    running.migrate,
    running.serve,
    running.worker,
    sandbox.sandbox,
    accounts.account,
    accounts.api_key,
    backfill.backfill,
    links.link,
    links.session,
    methods.invoice,
    methods.customer,
    payments.payment,
    keys.keys,
):
    main.add_command(command)
