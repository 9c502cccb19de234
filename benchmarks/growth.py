"""What growth costs: the reads of the pages beside each other in a small, a larger and a very large company."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks._company import INVOICES_A_CUSTOMER, LINES, NOW, USAGE_DAYS_AN_INVOICE, YEARS, Company, made
from portal.domain.periods import named
from portal.models import base
from portal.models.catalog import Metric
from portal.models.history import Asked, History, Key
from portal.models.invoice import Invoice
from portal.models.opening import opened
from portal.models.owing import Owing
from portal.models.payment import Payment
from portal.models.usage import UsageDay

SIZES = (1_000, 100_000)
KINDS = ("sqlite", "postgres")
ROUNDS = 31
ROUND_SECONDS = 0.015  # of one work in one company, about: short, so that those compared stand close together
PAGE = 20
TODAY = NOW.date()
MONTH = named("30d", TODAY)


@dataclass(frozen=True)
class Work:
    name: str
    do: Callable[[Company, int], Any]
    goal: dict[str, float] | None = None  # t(largest) / t(smallest), for each kind of database


def main(sizes: tuple[int, ...] = SIZES, kinds: tuple[str, ...] = KINDS) -> None:
    print(
        f"Growth: medians of {ROUNDS} rounds, interleaved. {USAGE_DAYS_AN_INVOICE} rows of usage an invoice, "
        f"{INVOICES_A_CUSTOMER} invoices a customer; one customer owns a tenth of all."
    )
    for kind in kinds:
        companies = [made(kind, size) for size in sorted(set(sizes))]
        table(kind, companies, measured(companies))
        for company in companies:
            company.bind()
            base.db.close()


def measured(companies: list[Company]) -> dict[str, list[list[float]]]:
    """Seconds of each work: a list of rounds for each company."""
    return {work.name: rounds(work, companies) for work in WORKS}


def rounds(work: Work, companies: list[Company]) -> list[list[float]]:
    companies[0].bind()
    work.do(companies[0], 0)
    start = time.perf_counter()
    work.do(companies[0], 1)
    repeats = max(int(ROUND_SECONDS / (time.perf_counter() - start)), 3)
    taken: list[list[float]] = [[] for _ in companies]
    for number in range(ROUNDS + 1):  # the first warms up
        turn = list(zip(companies, taken, strict=True))
        for company, times in turn if number % 2 else reversed(turn):
            company.bind()
            spent = of(work, company, repeats)
            if number:
                times.append(spent)
    return taken


def of(work: Work, company: Company, repeats: int) -> float:
    """Seconds for one."""
    began = time.perf_counter()
    for n in range(repeats):
        work.do(company, n)
        if time.perf_counter() - began > 20 * ROUND_SECONDS:  # far too slow to go on
            return (time.perf_counter() - began) / (n + 1)
    return (time.perf_counter() - began) / repeats


def table(kind: str, companies: list[Company], times: dict[str, list[list[float]]]) -> None:
    heads = "".join(f"{company.size:>12,}" for company in companies)
    print(f"\n{kind + ', milliseconds':<52}{heads}       ratio    goal")
    for work in WORKS:
        columns = times[work.name]
        # Each round's own ratio: whatever else the machine did at that moment, it did to both.
        ratio = median(last / first for first, last in zip(columns[0], columns[-1], strict=True))
        cells = "".join(f"{median(column) * 1e3:>12.3f}" for column in columns)
        print(f"  {work.name:<50}{cells}{ratio:>12.2f}{verdict(work, kind, ratio)}")


def verdict(work: Work, kind: str, ratio: float) -> str:
    if work.goal is None:
        return ""
    return f"{work.goal[kind]:>8}  {'within' if ratio <= work.goal[kind] else 'above'}"


# The works.


def invoice(company: Company, n: int) -> list[Payment]:
    """What the page of an invoice reads, the opening of its link included."""
    link = opened(company.tokens[n % len(company.tokens)])
    assert link
    found = (
        Invoice.select()
        .where(
            Invoice.id == link.invoice_id,
            Invoice.customer == link.customer_id,
            Invoice.account == link.account_id,
            Invoice.status.not_in(["draft"]),
        )
        .get()
    )
    assert len(found.document["lines"]) == LINES
    return Payment.of(found.id)


def history(customer_id: str) -> History:
    return History(customer_id, "Etc/UTC", TODAY)


def latest(company: Company, n: int) -> None:
    page = history(company.ordinary[n % len(company.ordinary)]).page(Asked(), PAGE)
    assert len(page.entries) == PAGE


def latest_of_the_large(company: Company, n: int) -> None:
    history(company.large).page(Asked(), PAGE)


def deep(company: Company, n: int) -> None:
    """Half way down."""
    middle = base.micros(NOW - YEARS / 2)
    page = history(company.large).page(Asked(older_than=Key(middle, "")), PAGE)
    assert len(page.entries) == PAGE


def unpaid(company: Company, n: int) -> None:
    history(company.large).page(Asked(status="unpaid"), PAGE)


def usage(company: Company, n: int) -> None:
    metrics = [Metric(id=id) for id in company.metrics]
    found = UsageDay.by_day(company.ordinary[n % len(company.ordinary)], metrics, MONTH)
    assert all(quantity for days in found.values() for _, quantity in days.own())


def owes(company: Company, n: int) -> None:
    assert Owing.of(company.large)


def pressing(company: Company, n: int) -> None:
    entries, _ = history(company.large).owing(10)
    assert entries


def counted(company: Company, n: int) -> None:
    mark = "%s" if base.is_postgresql() else "?"
    found = base.db.execute_sql(COUNTED.format(mark=mark), (company.large,)).fetchone()
    assert found[0]


def paid(company: Company, n: int) -> None:
    """Recorded, and taken back."""
    with base.db.atomic() as transaction:
        Payment.record(Invoice.get_by_id(company.open_invoice), NOW, "bench", received_on=TODAY, amount=1)
        transaction.rollback()


def goal(sqlite: float, postgres: float = 2) -> dict[str, float]:
    return {"sqlite": sqlite, "postgres": postgres}


COUNTED = """
SELECT COUNT(*), SUM(remaining) FROM (
  SELECT i.amount_due - COALESCE((SELECT SUM(p.amount) FROM booking p WHERE p.invoice_id = i.id), 0) AS remaining
    FROM invoice i WHERE i.customer_id = {mark} AND i.status IN ('issued', 'synced')
) asked WHERE remaining > 0
"""
WORKS = [
    Work(f"an invoice of {LINES} lines, by its link", invoice, goal(1.15)),
    Work("20 latest invoices of an ordinary customer", latest, goal(1.5)),
    Work("20 latest invoices of who owns a tenth of all", latest_of_the_large, goal(1.5)),
    Work("a page half way down hers, by key", deep, goal(1.3)),
    Work("30 days of 5 metrics of usage", usage, goal(1.1)),
    Work("how many she has open, and their sum", owes, goal(1.1)),
    Work("  for comparison: the same counted live", counted),
    Work("the same kept, with the 10 most pressing", pressing),
    Work("her unpaid invoices", unpaid),
    Work("a payment of hers, and the sum worked out again", paid),
]
