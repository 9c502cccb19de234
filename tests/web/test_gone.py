"""A link that has ended says whom to turn to, the same whatever ended it, and can have a fresh one mailed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from portal.models.account import Account
from portal.models.customer import Customer
from portal.models.link import Link
from portal.models.outbox import Letter
from tests.conftest import Clock
from tests.given import Given
from tests.web.conftest import Queries

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
BUTTON = '<form method="post" action="?fresh">'
BUTTON_OF_HTMX = '<form method="post" action="?fresh" hx-post="?fresh"'


@pytest.fixture
def ended(given: Given, acme: Account, clock: Clock, kid: str) -> Callable[[str], list[str]]:
    """The paths of Acme's links that ended `how`, of every kind that can."""

    def end(how: str) -> list[str]:
        customer = given.customer(acme)
        invoice = given.invoice(customer, due=clock.now.date())
        of_invoice, permanent = Link.of_invoice(invoice.id), Link.of_customer(customer.id)
        session = Link.start_session(customer, clock.now, kid, "test")
        assert of_invoice
        assert permanent
        if how == "replaced":
            Link.reissue(invoice, acme, customer.timezone, clock.now, kid, "test")
            Link.rotate(customer, clock.now, kid, "test")
            Link.start_session(customer, clock.now + timedelta(seconds=1), kid, "test")
        elif how == "expired":
            clock.advance(days=365)
            return [given.url(link) for link in (of_invoice, session)]
        elif how == "revoked":
            for link in (of_invoice, permanent, session):
                link.revoke(clock.now, "test", "a reason that nobody is told")
        elif how == "closed":
            Account.update(closed_at=clock.now).where(Account.id == acme.id).execute()
        clock.advance(seconds=2)
        return [given.url(link) for link in (of_invoice, permanent, session)]

    return end


def test_whatever_ended_a_link_its_page_has_the_same_bytes(
    client: FlaskClient, ended: Callable[[str], list[str]]
) -> None:
    for headers, button in (({}, BUTTON), (HTMX, BUTTON_OF_HTMX)):
        replaced, expired = ended("replaced"), ended("expired")
        again = [path.rstrip("/") for path in replaced] + [f"{expired[0]}invoice.csv", f"{expired[0]}lines/nowhere"]

        answers = [client.get(path, headers=headers) for path in replaced + expired + again]

        assert {answer.status_code for answer in answers} == {410}
        assert len({answer.data for answer in answers}) == 1
        assert button in answers[0].text


def test_what_was_ended_on_purpose_has_no_button_and_the_same_bytes_as_a_closed_account(
    client: FlaskClient, ended: Callable[[str], list[str]]
) -> None:
    answers = [client.get(path) for path in ended("revoked") + ended("closed")]

    assert {answer.status_code for answer in answers} == {410}
    assert len({answer.data for answer in answers}) == 1
    assert 'method="post"' not in answers[0].text
    assert "reason that nobody" not in answers[0].text


def test_the_page_names_the_operator_and_nothing_else(
    client: FlaskClient, given: Given, links: dict[str, Link], clock: Clock
) -> None:
    links["invoice"].revoke(clock.now, "test")

    text = client.get(given.url(links["invoice"])).text

    assert "This link is no longer active" in text
    assert "Acme" in text
    assert 'href="mailto:help@acme.example"' in text
    assert "customer.example" not in text
    assert links["customer"].customer.name not in text


def test_htmx_gets_the_same_status_with_a_notice_to_lay_over_the_page(
    client: FlaskClient, given: Given, links: dict[str, Link], clock: Clock
) -> None:
    links["invoice"].revoke(clock.now, "test")

    answer = client.get(given.url(links["invoice"]) + "lines/x", headers=HTMX)

    assert answer.status_code == 410
    assert answer.text.startswith("<dialog open")
    assert '<section id="pf-link"' in answer.text
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#pf-notice", "innerHTML")
    assert "<html" not in answer.text
    assert "HX-Request" in answer.headers["Vary"]


def test_a_newest_link_that_was_revoked_takes_the_button_from_the_older_ones(
    client: FlaskClient, given: Given, acme: Account, clock: Clock, kid: str
) -> None:
    customer = given.customer(acme)
    invoice = given.invoice(customer)
    first = Link.of_invoice(invoice.id)
    assert first
    clock.advance(minutes=1)
    second = Link.reissue(invoice, acme, customer.timezone, clock.now, kid, "test")
    assert BUTTON in client.get(given.url(first)).text

    second.revoke(clock.now, "test")

    assert BUTTON not in client.get(given.url(first)).text


def test_a_revoked_session_says_nothing_about_the_invoice(
    client: FlaskClient, given: Given, links: dict[str, Link], clock: Clock
) -> None:
    links["session"].revoke(clock.now, "test")
    clock.now = links["invoice"].expires_at or clock.now

    assert BUTTON in client.get(given.url(links["invoice"])).text
    assert BUTTON not in client.get(given.url(links["session"])).text


def test_a_closed_page_takes_two_queries(
    client: FlaskClient, given: Given, links: dict[str, Link], clock: Clock, queries: Queries
) -> None:
    links["invoice"].revoke(clock.now, "test")

    with queries() as made:
        client.get(given.url(links["invoice"]))

    assert len(made) == 2


# The button


def test_asking_always_has_the_same_answer(
    client: FlaskClient, ended: Callable[[str], list[str]], given: Given, links: dict[str, Link]
) -> None:
    live = [given.url(link) for link in links.values()]
    paths = live + ended("replaced") + ended("expired") + ended("revoked") + ended("closed")
    bare = [path.rstrip("/") for path in live]
    below = [f"{live[1]}invoices/nowhere/", f"{live[0]}invoice.csv"]

    answers = [client.post(f"{path}?fresh") for path in paths + bare + below + live * 5]

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.data for answer in answers}) == 1
    assert len({str(sorted(answer.headers)) for answer in answers}) == 1
    assert "Acme" not in answers[0].text


def test_asking_queues_a_letter_that_names_the_link_and_no_address(
    client: FlaskClient, given: Given, links: dict[str, Link], clock: Clock
) -> None:
    links["invoice"].revoke(clock.now, "test")

    client.post(given.url(links["invoice"]) + "?fresh", data={"email": "thief@evil.example"})

    (letter,) = _asked(links["invoice"].customer)
    assert (letter.link_id, letter.account_id, letter.due_at) == (
        links["invoice"].id,
        links["invoice"].account_id,
        clock.now,
    )


def test_asking_leaves_a_live_link_alive(client: FlaskClient, given: Given, links: dict[str, Link]) -> None:
    for link in links.values():
        client.post(given.url(link) + "?fresh")

    assert all(client.get(given.url(link)).status_code == 200 for link in links.values())


def test_three_letters_a_link_and_five_a_customer_are_enough_for_a_day(
    client: FlaskClient, given: Given, links: dict[str, Link], clock: Clock
) -> None:
    customer = links["invoice"].customer

    def ask(kind: str) -> int:
        client.post(given.url(links[kind]) + "?fresh")
        return len(_asked(customer))

    assert [ask("invoice") for _ in range(4)] == [1, 2, 3, 3]
    assert [ask("customer") for _ in range(4)] == [4, 5, 5, 5]
    assert ask("session") == 5
    clock.advance(hours=24)
    assert ask("invoice") == 6


def test_a_forged_token_asks_for_nothing(client: FlaskClient, given: Given, links: dict[str, Link], kid: str) -> None:
    before = Letter.select().count()
    token = given.url(links["invoice"]).split("/")[2]
    nowhere = client.get("/nowhere").data

    answers = [client.post(f"/{path}/?fresh") for path in ("i/x", f"i/{token}x", f"c/{token}", f"s/{token}")]

    assert {(answer.status_code, answer.data) for answer in answers} == {(404, nowhere)}
    assert Letter.select().count() == before


def test_a_token_whose_row_is_gone_gets_the_same_answer_and_no_letter(
    client: FlaskClient, given: Given, links: dict[str, Link], kid: str
) -> None:
    before = Letter.select().count()
    unknown = given.keyring.seal("invoice", secrets.token_bytes(16), 1, kid)

    answer = client.post(f"/i/{unknown}/?fresh")

    assert answer.data == client.post(given.url(links["customer"]) + "?fresh").data
    assert Letter.select().count() == before + 1


@pytest.mark.parametrize("site", ["same-origin", "none", None])
def test_our_own_page_and_old_browsers_may_ask(
    client: FlaskClient, given: Given, links: dict[str, Link], site: str | None
) -> None:
    headers = {"Sec-Fetch-Site": site} if site else {}

    assert client.post(given.url(links["invoice"]) + "?fresh", headers=headers).status_code == 202


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_may_not_ask(client: FlaskClient, given: Given, links: dict[str, Link], site: str) -> None:
    answer = client.post(given.url(links["invoice"]) + "?fresh", headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403
    assert _asked(links["invoice"].customer) == []


def test_reading_the_page_of_a_closed_link_asks_for_nothing(
    client: FlaskClient, given: Given, links: dict[str, Link], clock: Clock
) -> None:
    links["invoice"].revoke(clock.now, "test")

    for method in ("GET", "HEAD", "OPTIONS"):
        client.open(given.url(links["invoice"]) + "?fresh", method=method)

    assert _asked(links["invoice"].customer) == []


def _asked(customer: Customer) -> list[Letter]:
    return list(Letter.select().where(Letter.customer == customer, Letter.kind == "fresh_link"))
