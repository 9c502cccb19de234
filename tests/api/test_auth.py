"""A key opens its own account, and everything else is refused alike."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from portal.models.account import Account, ApiKey
from tests.api.conftest import Call
from tests.conftest import Clock
from tests.given import Given


def test_a_key_is_needed_before_anything_else_is_said(call: Call) -> None:
    bodies = {call("GET", path, key=None).data for path in ("/ping", "/customers/x", "/nothing", "/%00")}

    assert len(bodies) == 1


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic eDp5",
        "Token {key}",
        "{key}",
        "Bearer {key}x",
        "Bearer {key} x",
    ],
)
def test_what_is_no_key_is_refused_alike(client: FlaskClient, acme_key: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.format(key=acme_key)}

    response = client.get("/v1/ping", headers=headers)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="portal"'
    assert response.content_type == "application/problem+json"
    assert response.data == client.get("/v1/ping").data


def test_a_revoked_key_stops_with_the_next_request(call: Call, acme: Account, clock: Clock) -> None:
    row, text = ApiKey.mint(acme, clock.now, by="test")
    before = call("GET", "/ping", key=text)

    row.revoke(clock.now, by="test")

    assert before.status_code == 200
    assert call("GET", "/ping", key=text).data == call("GET", "/ping", key=None).data


def test_a_closed_account_has_no_keys(call: Call, acme: Account, clock: Clock) -> None:
    Account.update(closed_at=clock.now).where(Account.id == acme.id).execute()

    assert call("GET", "/ping").data == call("GET", "/ping", key=None).data


def test_a_mistyped_key_is_refused_without_asking_the_database(
    call: Call, acme_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = acme_key[:-9] + ("a" if acme_key[-10] != "a" else "b") + acme_key[-9:]
    monkeypatch.setattr(ApiKey, "select", lambda *_: pytest.fail("the database was asked"))

    assert call("GET", "/ping", key=wrong).status_code == 401


def test_each_account_sees_its_own_customers_and_items_only(
    call: Call, acme: Account, bolt: Account, bolt_key: str, given: Given
) -> None:
    hers, his = given.customer(acme, external_id="same"), given.customer(bolt, external_id="same")
    item = given.item(acme)

    assert [row["id"] for row in call("GET", "/customers").get_json()["data"]] == [hers.id]
    assert [row["id"] for row in call("GET", "/customers", key=bolt_key).get_json()["data"]] == [his.id]
    assert call("GET", "/customers/external_customer_id/same", key=bolt_key).get_json()["id"] == his.id
    assert call("GET", "/items", key=bolt_key).get_json()["data"] == []
    assert call("GET", f"/items/{item.id}", key=bolt_key).status_code == 404


def test_nobody_can_change_another_accounts_customer(call: Call, acme: Account, bolt_key: str, given: Given) -> None:
    hers = given.customer(acme, name="Hers", external_id="crm")

    for path in (f"/customers/{hers.id}", "/customers/external_customer_id/crm"):
        assert call("PUT", path, {"name": "His"}, key=bolt_key).status_code == 404

    assert call("GET", f"/customers/{hers.id}").get_json()["name"] == "Hers"


def test_the_health_checks_need_no_key(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    assert client.get("/readyz").get_json() == {"status": "ok"}
