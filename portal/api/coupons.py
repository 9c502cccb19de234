"""Coupons: a discount that a code brings to a subscription."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from flask import Blueprint
from peewee import IntegrityError, fn
from pydantic import Field

from portal import current
from portal.api import errors, line_shapes, paging, shapes, subscription_shapes
from portal.api.body import Schema, body, query
from portal.api.fields import ExternalId
from portal.api.price_fields import PriceDiscount
from portal.models.coupon import Coupon
from portal.models.subscription import Subscription

routes = Blueprint("coupons", __name__)

LONGEST = 1200  # months
MOST = 10**9  # redemptions


class CouponDiscount(PriceDiscount):
    accepted: ClassVar[frozenset[str]] = PriceDiscount.accepted | {"usage_discount"}

    discount_type: Literal["percentage", "amount"]  # fewer kinds than of a price


class NewCoupon(Schema):
    accepted: ClassVar[frozenset[str]] = frozenset({"id", "archived_at", "times_redeemed"})

    discount: CouponDiscount
    redemption_code: ExternalId
    duration_in_months: Annotated[int, Field(ge=1, le=LONGEST)] | None = None
    max_redemptions: Annotated[int, Field(ge=1, le=MOST)] | None = None


class Filters(paging.Paged):
    redemption_code: str | None = None
    show_archived: Literal["true", "false"] = "false"


@routes.post("/coupons")
def create() -> tuple[dict[str, Any], int]:
    given, account = body(NewCoupon), current.account()
    if Coupon.live(account, code=given.redemption_code):
        raise errors.duplicate("redemption_code belongs to another coupon: archive that one first.")
    try:
        coupon = Coupon.create(
            account=account,
            created_at=current.now(),
            code=given.redemption_code,
            discount=given.discount.wire(),
            months=given.duration_in_months,
            most=given.max_redemptions,
        )
    except IntegrityError as error:  # between the look and the insert somebody else took the code
        raise errors.duplicate("redemption_code belongs to another coupon: archive that one first.") from error
    return shape(coupon), 201


@routes.get("/coupons")
def listed() -> dict[str, Any]:
    given = query(Filters)
    rows = Coupon.select().where(Coupon.account == current.account())
    if given.show_archived == "false":
        rows = rows.where(Coupon.archived_at.is_null())
    if given.redemption_code is not None:
        rows = rows.where(Coupon.code == given.redemption_code)
    return paging.page(rows, (Coupon.created_at, Coupon.id), given, lambda found: [shape(row) for row in found])


@routes.get("/coupons/<id>")
def fetch(id: str) -> dict[str, Any]:
    return shape(by_id(id))


@routes.post("/coupons/<id>/archive")
def archive(id: str) -> dict[str, Any]:
    coupon = by_id(id)
    body(Schema)
    if not coupon.archive(current.now()):
        raise errors.constraint("This coupon is archived already.")
    return shape(coupon)


@routes.get("/coupons/<id>/subscriptions")
def subscriptions(id: str) -> dict[str, Any]:
    """Those that redeemed it."""
    coupon, given, now = by_id(id), query(paging.Paged), current.now()
    begins = f'{{"coupon_id":"{coupon.id}"'  # as `subscribing.redeem` keeps it
    redeemed = fn.SUBSTR(Subscription.coupon, 1, len(begins)) == begins
    rows = Subscription.select().where(Subscription.account == current.account(), redeemed)
    order = (Subscription.created_at, Subscription.id)
    return paging.page(rows, order, given, lambda found: subscription_shapes.shape_all(found, now))


def by_id(id: str) -> Coupon:
    """The account's own coupon. Raises Problem."""
    coupon = Coupon.of(current.account(), id)
    if coupon is None:
        raise errors.not_found("Coupon")
    return coupon


def shape(coupon: Coupon) -> dict[str, Any]:
    return {
        "id": coupon.id,
        "redemption_code": coupon.code,
        "discount": line_shapes.price(coupon.discount),
        "duration_in_months": coupon.months,
        "max_redemptions": coupon.most,
        "times_redeemed": coupon.redeemed,
        "archived_at": shapes.stamp(coupon.archived_at),
    }
