"""`python -m benchmarks [name [options] …]`: those that are named, or all of them."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import click

from tests import servers

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
DATABASES = ("sqlite", "postgres")


@click.group(chain=True, invoke_without_command=True)
@click.pass_context
def bench(context: click.Context) -> None:
    """What things cost. Figures are printed, not asserted, each beside its goal. Without a name: all of these."""
    servers.open_folder()
    context.call_on_close(servers.close_folder)
    if context.invoked_subcommand is None:
        for name in NAMES:
            _run(name)


@bench.command()
@click.option("--full", is_flag=True, help="With 1,000,000 invoices too: 15 GB of disk, some ten minutes.")
@click.option("--sizes", default="1000,100000", show_default=True, help="How many invoices.")
@click.option("--database", type=click.Choice(DATABASES), multiple=True, help="Both, unless one is named.")
def growth(full: bool, sizes: str, database: tuple[str, ...]) -> None:
    """What growth costs: the pages' reads in a small, a larger and a very large company."""
    chosen = [int(size) for size in sizes.split(",")] + ([1_000_000] if full else [])
    import_module("benchmarks.growth").main(tuple(chosen), database or DATABASES)


def _run(name: str) -> None:
    import_module(f"benchmarks.{name}").main()


for one in set(NAMES) - set(bench.commands):
    about = ast.get_docstring(ast.parse((FOLDER / f"{one}.py").read_text()))
    bench.add_command(click.Command(one, callback=lambda one=one: _run(one), help=about))

bench(prog_name="python -m benchmarks")
