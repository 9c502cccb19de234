"""Metrics: what is counted, said in SQL, and by which properties it is kept apart."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import AfterValidator, Field

from portal import current
from portal.api import errors, items, paging
from portal.api.body import Schema, body, query
from portal.api.fields import Line, Metadata, Text, merged
from portal.domain import metrics
from portal.models.base import claim
from portal.models.catalog import Item, Metric
from portal.models.recounting import recount_metric

routes = Blueprint("metrics", __name__)

MOST_DIMENSIONS = 5  # properties that a metric is kept apart by: days are kept for each combination of their values


def _each_once(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("must name each property once")
    return names


Dimensions = Annotated[list[Line], Field(max_length=MOST_DIMENSIONS), AfterValidator(_each_once)]


class MetricFields(Schema):
    accepted = frozenset({"id", "created_at", "status", "item", "parameter_definitions"})

    name: Line | None = None
    description: Text | None = None
    metadata: Metadata | None = None
    unit: Annotated[str, Field(max_length=50)] | None = None  # ours: what a quantity counts, such as "GB"
    dimensions: Dimensions | None = None  # ours: the properties that usage can be grouped by


class NewMetric(MetricFields):
    name: Line
    item_id: str
    sql: Annotated[str, Field(min_length=1, max_length=metrics.LONGEST_SQL)]


class ChangedMetric(MetricFields):
    accepted = MetricFields.accepted | {"item_id", "sql"}


class Filters(paging.Dated):
    status: Literal["active", "archived", "draft"] | None = None


@routes.post("/metrics")
def create() -> tuple[dict[str, Any], int]:
    given, account, now = body(NewMetric), current.account(), current.now()
    refuse_unmeasured(given.sql)
    claim(f"events {account.id}")
    item = items.by_id(given.item_id)
    metric = Metric.create(
        account=account,
        item=item,
        created_at=now,
        name=given.name,
        description=given.description,
        sql=given.sql,
        unit=given.unit or "",
        metadata=merged({}, given.metadata),
        dimensions=given.dimensions or None,
    )
    recount_metric(metric)
    return shape(metric), 201


@routes.get("/metrics")
def listed() -> dict[str, Any]:
    given = query(Filters)
    rows = Metric.select(Metric, Item).join(Item).where(Metric.account == current.account())
    if given.status == "draft":
        rows = rows.where(False)
    elif given.status:
        rows = rows.where(Metric.archived_at.is_null(given.status == "active"))
    rows = given.narrowed(rows, Metric.created_at)
    return paging.page(rows, (Metric.created_at, Metric.id), given, lambda found: [shape(row) for row in found])


@routes.get("/metrics/<id>")
def fetch(id: str) -> dict[str, Any]:
    return shape(by_id(id))


@routes.put("/metrics/<id>")
def update(id: str) -> dict[str, Any]:
    metric = by_id(id)
    given = body(ChangedMetric)
    changes = {name: value for name, value in given.given().items() if value is not None or name == "description"}
    changes.pop("dimensions", None)
    if "metadata" in given.model_fields_set:
        changes["metadata"] = merged(metric.metadata, given.metadata)
    if "dimensions" in given.model_fields_set:
        claim(f"events {metric.account_id}")
        metric = by_id(id)
        keep_apart(metric, given.dimensions or [])
    metric.change(changes)
    return shape(metric)


@routes.post("/metrics/<id>/archive")
def archive(id: str) -> dict[str, Any]:
    metric = by_id(id)
    body(Schema)
    if not metric.archive(current.now()):
        raise errors.constraint("This metric is archived already.")
    return shape(metric)


@routes.post("/metrics/<id>/unarchive")
def unarchive(id: str) -> dict[str, Any]:
    metric = by_id(id)
    body(Schema)
    if not metric.unarchive():
        raise errors.constraint("This metric is not archived.")
    return shape(metric)


def by_id(id: str) -> Metric:
    """The account's own metric. Raises Problem."""
    metric = Metric.of(current.account(), id)
    if metric is None:
        raise errors.not_found("Metric")
    return metric


def keep_apart(metric: Metric, wanted: list[str] | None = None) -> None:
    """Counts the metric's usage by what its matrix prices need and, where that is said, by `wanted` alone besides.

    The caller has claimed the account's events. Raises Problem.
    """
    before = list(metric.dimensions or [])
    names = list(dict.fromkeys([*(before if wanted is None else wanted), *metric.needed()]))
    if len(names) > MOST_DIMENSIONS:
        raise errors.constraint(
            f"A metric may be kept apart by at most {MOST_DIMENSIONS} properties; this would be {', '.join(names)}."
        )
    if names != before:
        metric.change({"dimensions": names or None})
        recount_metric(metric)


def refuse_unmeasured(sql: str) -> None:
    """Raises Problem, with the part of the SQL that cannot be used."""
    if not sql.strip():
        raise errors.invalid("sql must not be blank: say what is counted, such as SELECT COUNT(*) FROM events.")
    try:
        metrics.read(sql)
    except metrics.NotMeasured as error:
        raise errors.invalid(f"sql cannot be used: {str(error).removesuffix('.')}.") from error


def shape(metric: Metric) -> dict[str, Any]:
    return {
        "id": metric.id,
        "name": metric.name,
        "description": metric.description,
        "item": items.shape(metric.item),
        "sql": metric.sql,
        "status": "active" if metric.archived_at is None else "archived",
        "metadata": metric.metadata,
        "parameter_definitions": None,
        "unit": metric.unit,
        "dimensions": metric.dimensions or [],
    }
