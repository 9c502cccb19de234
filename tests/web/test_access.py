"""Who holds a link sees what it names, at every moment and under every kind; everything else is one 404."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from portal import tokens
from portal.app import create_app
from portal.config import Settings
from portal.models import moments
from portal.models.account import Account
from portal.models.link import Link
from portal.tokens import PATHS, Key, Keyring
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.mark.parametrize("kind", tokens.KINDS)
@pytest.mark.parametrize("route", tokens.KINDS)
@pytest.mark.parametrize("tail", ["", "invoice.csv", "lines/x"])
def test_a_token_opens_the_route_of_its_own_kind_only(
    client: FlaskClient, given: Given, links: dict[str, Link], kind: str, route: str, tail: str
) -> None:
    token = given.url(links[kind]).split("/")[2]
    invoice = links["invoice"].invoice_id
    below = tail if route == "invoice" or not tail else f"invoices/{invoice}/{tail}"
    elsewhere = client.get("/nowhere").data

    response = client.get(f"/{PATHS[route]}/{token}/{below}")

    if kind == route and tail != "lines/x":
        assert response.status_code == 200
    else:
        assert (response.status_code, response.data) == (404, elsewhere)


@pytest.mark.parametrize("seconds", [-1, 0, 1])
@pytest.mark.parametrize("kind", tokens.KINDS)
def test_a_link_opens_until_the_second_before_its_end(
    client: FlaskClient, given: Given, clock: Clock, links: dict[str, Link], kind: str, seconds: int
) -> None:
    end = links[kind].expires_at or clock.now + timedelta(days=3650)
    clock.now = end + timedelta(seconds=seconds)

    response = client.get(given.url(links[kind]))

    assert response.status_code == (200 if seconds < 0 or kind == "customer" else 410)


def test_a_row_may_end_a_link_earlier_than_its_token(
    client: FlaskClient, given: Given, clock: Clock, links: dict[str, Link]
) -> None:
    Link.update(expires_at=clock.now).where(Link.id == links["invoice"].id).execute()

    assert client.get(given.url(links["invoice"])).status_code == 410


@pytest.mark.parametrize("kind", tokens.KINDS)
def test_the_missing_slash_leads_on_only_where_the_link_opens(
    client: FlaskClient, given: Given, clock: Clock, links: dict[str, Link], kind: str
) -> None:
    path = given.url(links[kind])
    bare = path.rstrip("/")

    led = client.get(f"{bare}?from=mail")

    assert led.status_code == 302
    assert led.headers["Location"] == f"{path}?from=mail"
    assert led.data == b""
    assert client.get(bare, follow_redirects=True).status_code == 200
    links[kind].revoke(clock.now, "test")
    assert client.get(bare).status_code == 410
    assert client.get(f"{bare[:-1]}!").status_code == 404


def test_everything_that_cannot_be_found_has_the_same_bytes(
    client: FlaskClient, given: Given, acme: Account, bolt: Account, clock: Clock, kid: str, links: dict[str, Link]
) -> None:
    tokened = {kind: given.url(link) for kind, link in links.items()}
    token = tokened["invoice"].split("/")[2]
    other = given.invoice(given.customer(acme))
    draft = given.invoice(links["customer"].customer, issued=False)
    stranger = given.invoice(given.customer(bolt))
    unknown = given.keyring.seal("invoice", secrets.token_bytes(16), 2**31, kid)
    wrong_end = given.keyring.seal("invoice", bytes.fromhex(links["invoice"].token_id), 2**31, kid)
    causes = [
        "/",
        "/nowhere",
        "/i/",
        "/i/x/",
        f"/i/{token}x/",
        f"/i/{token[:-1]}/",
        f"/i/{token[:40]}{'A' if token[40] != 'A' else 'B'}{token[41:]}/",
        f"/i/zz{token[2:]}/",
        f"/i/{unknown}/",
        f"/i/{wrong_end}/",
        f"/c/{token}/",
        f"/s/{token}/",
        f"/i/{token}/nowhere",
        f"/i/{token}/invoices/{other.id}/",
        f"/i/{token}/lines/nowhere",
        f"{tokened['customer']}invoices/{other.id}/",
        f"{tokened['customer']}invoices/{stranger.id}/invoice.json",
        f"{tokened['session']}invoices/{draft.id}/",
        f"{tokened['session']}invoices/nowhere/lines/nowhere",
        "/brand/red.css",
        f"/brand/{secrets.token_hex(32)}.png",
    ]

    answers = {cause: client.get(cause) for cause in causes}

    assert {answer.status_code for answer in answers.values()} == {404}
    assert len({answer.data for answer in answers.values()}) == 1
    assert len({str(sorted(answer.headers)) for answer in answers.values()}) == 1
    assert "Acme" not in answers["/"].text
    assert len({client.get(cause, headers=HTMX).data for cause in causes}) == 1


def test_a_draft_is_found_under_no_link(
    client: FlaskClient, given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    customer = given.customer(acme)
    draft = given.invoice(customer, issued=False)
    session = Link.start_session(customer, clock.now, kid, "test")

    assert client.get(f"{given.url(session)}invoices/{draft.id}/").status_code == 404


def test_a_hidden_void_invoice_opens_under_its_own_link_only(
    client: FlaskClient, given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    customer = given.customer(acme)
    invoice = given.invoice(customer)
    own, permanent = Link.of_invoice(invoice.id), Link.of_customer(customer.id)
    assert own
    assert permanent
    moments.void(invoice, clock.now, "test")
    below = f"{given.url(permanent)}invoices/{invoice.id}/"
    assert client.get(below).status_code == 200

    acme.configure({"hide_voided_invoices": True}, clock.now, "test")

    assert client.get(below).status_code == 404
    assert client.get(given.url(own)).status_code == 200


def test_an_invoice_under_its_customer_is_found_with_and_without_the_last_slash(
    client: FlaskClient, given: Given, links: dict[str, Link]
) -> None:
    path = f"{given.url(links['session'])}invoices/{links['invoice'].invoice_id}"

    assert client.get(path).status_code == client.get(f"{path}/").status_code == 200


def test_who_guesses_has_to_wait_and_keeps_nobody_else_from_a_good_link(
    client: FlaskClient, given: Given, links: dict[str, Link]
) -> None:
    guesses = [client.get(f"/i/guess{n}/") for n in range(61)]

    assert [guess.status_code for guess in guesses] == [404] * 60 + [429]
    assert 0 < int(guesses[-1].headers["Retry-After"]) <= 60
    assert client.post("/i/guess/?fresh").status_code == 429
    assert client.get(given.url(links["invoice"])).status_code == 200
    assert client.get("/i/guess/", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 404
    forged = {"X-Forwarded-For": "192.0.2.8"}
    assert client.get("/i/guess/", headers=forged).status_code == 429


def test_a_forged_token_never_reaches_the_database(client: FlaskClient, queries: Queries) -> None:
    forged = Keyring([Key("k1", secrets.token_bytes(32))]).seal("invoice", secrets.token_bytes(16), 0, "k1")

    with queries() as made:
        client.get(f"/i/{forged}/")

    assert made == []


def test_a_key_that_was_given_up_closes_its_links(
    settings: Settings, tmp_path: Path, clock: Clock, given: Given, links: dict[str, Link]
) -> None:
    ring = given.keyring.renewed(Key("k2", secrets.token_bytes(32))).recovering("k1")
    other = Settings(**{**settings.model_dump(), "link_keys": ring.dump(), "data_dir": tmp_path})
    client = create_app(other, clock).test_client()

    answers = [client.get(given.url(link)) for link in links.values()]

    assert [answer.status_code for answer in answers] == [410] * 3
    assert all("Mail me a fresh link" in answer.text for answer in answers)


@pytest.mark.parametrize(("seconds", "status"), [(-1, 410), (0, 410), (1, 404)])
def test_an_expired_token_is_refused_whatever_its_row_says(
    client: FlaskClient, given: Given, clock: Clock, kid: str, seconds: int, status: int
) -> None:
    end = int(clock.now.timestamp()) + seconds
    token = given.keyring.seal("invoice", secrets.token_bytes(16), end, kid)

    answer = client.get(f"/i/{token}/")

    assert answer.status_code == status
    assert 'method="post"' not in answer.text


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
def test_a_page_can_only_be_read(client: FlaskClient, given: Given, links: dict[str, Link], method: str) -> None:
    assert client.open(given.url(links["invoice"]), method=method).status_code == 405


def test_head_and_options_say_what_get_would(client: FlaskClient, given: Given, links: dict[str, Link]) -> None:
    path = given.url(links["invoice"])

    assert client.head(path).status_code == 200
    assert client.head(path).data == b""
    assert client.options(path).status_code == 200
