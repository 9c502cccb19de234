"""Links under load, against the real server of four processes: what was ended is not served, what lives is not lost.

Not part of `make test`; `make proofs` prints the figures.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import secrets
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from portal import printing
from portal.config import Settings
from portal.models import base, schema
from portal.models.account import Account, ApiKey
from portal.models.customer import Customer
from portal.models.link import Link
from portal.models.opening import opened
from portal.models.published import Published, PublishedHome
from portal.secret_store import ensure_secrets
from portal.tokens import ID_LENGTH, BadToken, Key, Keyring, new_kid, new_secret
from tests import crawl, programs, servers
from tests.crowd import PROCESSES
from tests.given import Given

pytestmark = pytest.mark.proof

REVOCATIONS = 2000
CHECKERS = 4
ROUNDS = 50
AT_ONCE = 30
ROTATED = 200
GUESSES = 1_000_000
PATIENCE_SECONDS = 60
Reply = tuple[int, bytes]


class Caller:
    """One kept connection to the server."""

    def __init__(self, port: int, key: str = "") -> None:
        # Who reads gzip is sent pages as they are kept; who calls the API is none of those.
        self.port, self.headers = port, {"Authorization": f"Bearer {key}"} if key else {"Accept-Encoding": "gzip"}
        self.connection = self._connected()

    def __call__(self, method: str, path: str, body: Any = None) -> Reply:
        text = None if body is None else json.dumps(body)
        headers = {**self.headers, **({"Content-Type": "application/json"} if text else {})}
        for attempt in (1, 2):
            try:
                self.connection.request(method, path, text, headers)
                answer = self.connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = self._connected()
                if attempt == 2:
                    raise
        raise AssertionError

    def _connected(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)


@dataclass
class Portal:
    """A server with four processes, and an account in its database."""

    settings: Settings
    account: Account
    key: str
    log: Path
    port: int = 0
    _running: ExitStack = field(default_factory=ExitStack)

    @property
    def ring(self) -> Keyring:
        return Keyring.parse(ensure_secrets(self.settings).keyring_text)

    @property
    def given(self) -> Given:
        return Given(lambda: datetime.now(UTC), self.ring.active, self.ring)

    def env(self) -> dict[str, str]:
        named = {"data_dir": str(self.settings.data_dir), "database_url": self.settings.database_url, "api_rate": "0"}
        named |= {"base_url": "http://127.0.0.1", "log_level": "error"}
        if self.settings.link_keys and self.settings.secret_key:
            named["link_keys"] = self.settings.link_keys.get_secret_value()
            named["secret_key"] = self.settings.secret_key.get_secret_value()
        return programs.environment(**named)

    def start(self) -> float:
        """Starts the server, again if it runs, and says how long it took."""
        self.stop()
        began = time.monotonic()
        self.port = programs.free_port()
        serving = ["serve", "--port", str(self.port), "--workers", "4"]
        self._running.enter_context(programs.running(*serving, env=self.env(), log=self.log))
        assert programs.wait_until(lambda: programs.answers(self.port)), self.log.read_text()
        assert Caller(self.port)("GET", "/readyz")[0] == 200
        return time.monotonic() - began

    def stop(self) -> None:
        self._running.close()

    def caller(self) -> Caller:
        return Caller(self.port, self.key)

    def run(self, *arguments: str) -> str:
        done = programs.run(*arguments, env=self.env())
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(params=["sqlite", "postgres"])
def portal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Portal]:
    kind = request.param
    if kind == "sqlite":
        settings = Settings(data_dir=tmp_path)
    else:
        ring = Keyring([Key(new_kid(()), new_secret())]).dump()
        url = servers.new_database("postgres")
        settings = Settings(data_dir=tmp_path, database_url=url, link_keys=ring, secret_key=secrets.token_hex(32))
    bound = base.db.obj
    base.connect(settings.database_url)
    schema.migrate()
    base.db.connect()
    now = datetime.now(UTC)
    account = Account.open("Acme", now, mode="live", by="proof", support_email="help@acme.example")
    portal = Portal(settings, account, ApiKey.mint(account, now, "proof")[1], tmp_path / "server.log")
    portal.start()
    yield portal
    portal.stop()
    base.db.close()
    if bound is not None:
        base.db.initialize(bound)


def say(portal: Portal, text: str) -> None:
    kind = "SQLite" if portal.settings.sqlite_path else "PostgreSQL"
    print(f"\n  {kind}: {text}", end="", flush=True)


def at_once(deeds: list[Callable[[], Any]]) -> list[Any]:
    """Does all deeds in threads of their own that start together."""
    answers: list[Any] = [None] * len(deeds)
    gate = threading.Barrier(len(deeds))

    def do(n: int) -> None:
        gate.wait()
        answers[n] = deeds[n]()

    threads = [threading.Thread(target=do, args=(n,)) for n in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


# Revocation.


@dataclass(frozen=True)
class Doomed:
    """A link, what is served below it, and the call that ends it."""

    paths: tuple[str, ...]
    call: str


def doomed(portal: Portal, count: int) -> list[Doomed]:
    given, found = portal.given, []
    with base.db.atomic():
        for _ in range(count // 4):
            customer = given.customer(portal.account)
            invoices = [given.invoice(customer) for _ in range(2)]
            session = Link.start_session(customer, given.now(), given.kid, "proof", minutes=180)
            permanent = Link.of_customer(customer.id)
            assert permanent
            below = ("", "invoices", "due", "balance", f"invoices/{invoices[0].id}/")
            at = f"/v1/customers/{customer.id}"
            found.append(Doomed(tuple(given.url(permanent) + tail for tail in below), f"{at}/portal_link"))
            found.append(
                Doomed(tuple(given.url(session) + tail for tail in below), f"{at}/portal_sessions/{session.id}")
            )
            for invoice in invoices:
                link = Link.of_invoice(invoice.id)
                assert link
                line = invoice.document["lines"][0]["id"]
                tails = ("", "invoice.json", "invoice.csv", f"lines/{line}")
                call = f"/v1/invoices/{invoice.id}/portal_link"
                found.append(Doomed(tuple(given.url(link) + tail for tail in tails), call))
    random.shuffle(found)
    return found


def check(port: int, doomed: list[Doomed], ended: Any, at: Any, results: Any) -> None:
    """Asks for links around the one that is being revoked. What is asked for after its end must not come."""
    ask, draw = Caller(port), random.Random(os.getpid())
    seen: Counter[str] = Counter()
    while at.value < len(doomed):
        n = min(max(at.value + draw.randrange(-3, 2), 0), len(doomed) - 1)
        over = ended[n] > 0  # looked at before the request begins
        status, _ = ask("GET", draw.choice(doomed[n].paths))
        seen[f"{'after' if over else 'before'} {status}"] += 1
        if over and time.monotonic() - ended[n] < 0.05:
            seen["within 50 ms"] += 1
    results.put(dict(seen))


def publish(portal: Portal) -> int:
    """Renders every page ahead, as the worker does, and says how many."""
    room, now, count = printing.room(portal.settings), datetime.now(UTC), 0
    with base.connection():
        for kind, kept in (("invoice", Published), ("customer", PublishedHome)):
            while ids := kept.take(now, 100):
                count += sum(room(kind, id, now) for id in ids)
    return count


def test_nothing_is_served_after_a_revocation_has_returned(portal):
    targets = doomed(portal, REVOCATIONS)
    published = publish(portal)
    assert published >= REVOCATIONS * 3 // 4
    ended, at, results = PROCESSES.Array("d", len(targets)), PROCESSES.Value("i", 0), PROCESSES.Queue()
    checking = [
        PROCESSES.Process(target=check, args=(portal.port, targets, ended, at, results)) for _ in range(CHECKERS)
    ]
    for process in checking:
        process.start()
    ask, took, began = portal.caller(), [], time.monotonic()

    for n, target in enumerate(targets):
        at.value = n
        start = time.monotonic()
        status, body = ask("DELETE", target.call, {"reason": "proof"})
        ended[n] = time.monotonic()
        took.append(ended[n] - start)
        assert status == 200, body
    at.value = len(targets)
    seen: Counter[str] = Counter()
    for _ in checking:
        seen.update(results.get(timeout=PATIENCE_SECONDS))
    for process in checking:
        process.join()

    took.sort()
    checks = sum(count for name, count in seen.items() if not name.startswith("within"))
    middle = took[len(took) // 2] * 1e3
    say(
        portal,
        f"{published:,} pages kept; {len(targets):,} revocations in {time.monotonic() - began:.0f} s "
        f"(median {middle:.1f} ms), {checks:,} checks by {CHECKERS} processes {dict(sorted(seen.items()))}, "
        f"{seen['after 200']} late accepts",
    )
    assert set(seen) <= {"before 200", "before 410", "after 410", "within 50 ms"}, seen
    assert min(seen["before 200"], seen["after 410"]) > 500
    assert seen["after 200"] == 0


# Sessions.


def test_sessions_started_at_once_leave_one_or_all(portal):
    customer = portal.given.customer(portal.account)
    callers = [portal.caller() for _ in range(AT_ONCE)]
    path, began = f"/v1/customers/{customer.id}/portal_sessions", time.monotonic()

    for n in range(ROUNDS):
        spare = n % 2 == 1
        portal.caller()("DELETE", path)
        answers = at_once([partial(ask, "POST", path, {"invalidate_existing": not spare}) for ask in callers])

        assert {status for status, _ in answers} == {201}
        urls = [path_of(json.loads(body)["url"]) for _, body in answers]
        opening = Counter(ask("GET", url)[0] for ask, url in zip(callers, urls, strict=True))
        assert opening == ({200: AT_ONCE} if spare else {200: 1, 410: AT_ONCE - 1}), n
        live = json.loads(portal.caller()("GET", f"{path}?limit=100")[1])["data"]
        assert len(live) == (AT_ONCE if spare else 1), n
    say(
        portal,
        f"{ROUNDS} rounds of {AT_ONCE} sessions at once in {time.monotonic() - began:.0f} s: "
        f"each left 1, or {AT_ONCE} where the others were spared",
    )


# Refreshing and revoking.


def test_refreshing_and_revoking_at_once_never_leaves_two_links(portal):
    given, began = portal.given, time.monotonic()
    invoice = given.invoice(given.customer(portal.account))
    path, callers = f"/v1/invoices/{invoice.id}/portal_link", [portal.caller() for _ in range(AT_ONCE)]
    left: Counter[int] = Counter()

    for n in range(ROUNDS):
        deeds = [("POST", {}) if place % 3 else ("DELETE", {"reason": "proof"}) for place in range(AT_ONCE)]
        answers = at_once([partial(ask, deed[0], path, deed[1]) for ask, deed in zip(callers, deeds, strict=True)])

        assert {status for status, _ in answers} == {200, 201}, n
        told = [json.loads(body)["link"] for _, body in answers]
        urls = {path_of(link["url"]) for link in told if link}
        opening = [url for url in urls if callers[0]("GET", url)[0] == 200]
        now = json.loads(callers[0]("GET", path)[1])["link"]
        assert opening == ([path_of(now["url"])] if now else []), n
        assert Link.select().where(Link.invoice == invoice.id, Link.ended_at.is_null()).count() == len(opening) <= 1
        left[len(opening)] += 1
    say(
        portal,
        f"{ROUNDS} rounds of 20 refreshes and 10 revocations at once in {time.monotonic() - began:.0f} s: "
        f"{left[1]} left one link, {left[0]} none, 0 more",
    )


# Keys.


@contextmanager
def under_load(portal: Portal, urls: list[str]) -> Iterator[Counter[int]]:
    """Four visitors go on opening the links; what they are answered is counted."""
    seen: Counter[int] = Counter()
    over = threading.Event()

    def visit(n: int) -> None:
        ask, draw = Caller(portal.port), random.Random(n)
        while not over.is_set():
            status, _ = ask("GET", draw.choice(urls))
            seen[status] += 1

    visitors = [threading.Thread(target=visit, args=(n,)) for n in range(4)]
    for visitor in visitors:
        visitor.start()
    yield seen
    over.set()
    for visitor in visitors:
        visitor.join()


def live_links(portal: Portal, count: int) -> list[str]:
    given, urls = portal.given, []
    with base.db.atomic():
        for _ in range(count // 4):
            customer = given.customer(portal.account)
            links = [Link.of_customer(customer.id)]
            links += [Link.of_invoice(given.invoice(customer).id) for _ in range(2)]
            links.append(Link.start_session(customer, given.now(), given.kid, "proof", minutes=180))
            urls += [given.url(link) for link in links if link]
    return urls


def answered(portal: Portal, urls: list[str]) -> Counter[int]:
    """What each of the four processes says, as far as repeating finds them all."""
    ask = [Caller(portal.port) for _ in range(8)]
    return Counter(ask[n % 8]("GET", url)[0] for n, url in enumerate(urls))


def test_no_link_is_lost_while_keys_are_rotated_and_all_are_closed_when_one_is_given_up(portal):
    embedded = portal.settings.keyring_file is not None
    urls = live_links(portal, ROTATED)
    kids, loaded, waited = [portal.ring.active], Counter(), []

    for _ in range(3):
        if embedded:  # nobody starts anything again
            with under_load(portal, urls) as seen:
                time.sleep(0.3)
                kid = portal.run("keys", "new")
                began = time.monotonic()
                spare = {"invalidate_existing": False}
                ask, customer = portal.caller(), Customer.select().where(Customer.account == portal.account.id).get()
                fresh = [ask("POST", f"/v1/customers/{customer.id}/portal_sessions", spare) for _ in range(20)]
                waited.append(time.monotonic() - began)
            loaded.update(seen)
            assert {path_of(json.loads(body)["url"]).split("/")[2][:2] for _, body in fresh} == {kid}
        else:
            portal.settings = portal.settings.model_copy(
                update={"link_keys": type(portal.settings.link_keys)(portal.run("keys", "new"))}
            )
            waited.append(portal.start())
        kids.append(portal.ring.active)
        assert answered(portal, urls) == {200: len(urls)}
        urls += live_links(portal, 20)
    assert len(set(kids)) == 4
    assert set(loaded) <= {200}
    say(
        portal,
        f"3 new keys, {len(urls)} live links, 0 lost"
        + (f"; {sum(loaded.values()):,} visits meanwhile, all 200; no restart" if embedded else "; one restart each"),
    )

    leaked = kids[0]
    of_leaked = [url for url in urls if url.split("/")[2][:2] == leaked]
    others = [url for url in urls if url not in of_leaked]
    told = portal.run("keys", "retire", leaked, "--give-up")
    began = time.monotonic()
    if not embedded:
        portal.settings = portal.settings.model_copy(update={"link_keys": type(portal.settings.link_keys)(told)})
        portal.start()
    closed = answered(portal, of_leaked * 4)
    took = time.monotonic() - began

    assert closed == {410: len(of_leaked) * 4}
    assert answered(portal, others) == {200: len(others)}
    say(
        portal,
        f"a key given up: {len(of_leaked)} of its links closed for all processes, 0 open, "
        f"seen within {took:.1f} s; {len(others)} of other keys open",
    )
    # What no link needs any more leaves the ring, and no other link is lost.
    ending = {"ended_at": datetime.now(UTC), "ended_by": "proof", "ended_how": "revoked"}
    Link.update(**ending).where(Link.kid == leaked, Link.ended_at.is_null()).execute()
    told = portal.run("keys", "retire", leaked)
    if not embedded:
        portal.settings = portal.settings.model_copy(update={"link_keys": type(portal.settings.link_keys)(told)})
        portal.start()
    assert answered(portal, of_leaked[:40]) == {404: min(40, len(of_leaked))}
    assert answered(portal, others) == {200: len(others)}


def guesses(rows: list[Link], count: int) -> Iterator[bytes]:
    """Ids as somebody with the key, and with all that the API and the pages show, would guess them."""
    draw = random.Random(secrets.randbits(64))
    shown = [row.id for row in rows] + [row.customer_id for row in rows] + [row.account_id for row in rows[:1]]
    for n in range(count):
        kind = n % 5
        if kind == 0:
            yield n.to_bytes(ID_LENGTH)
        elif kind == 1:
            yield secrets.token_bytes(ID_LENGTH)
        elif kind == 2:
            yield draw.choice(shown).encode()[:ID_LENGTH].ljust(ID_LENGTH, b"\0")
        elif kind == 3:
            yield sha256(f"{draw.choice(shown)}{n // 50}".encode()).digest()[:ID_LENGTH]
        else:
            instant = int(datetime.now(UTC).timestamp() * 1e6) - n
            yield instant.to_bytes(8) + draw.randbytes(8)


def test_a_leaked_key_opens_nothing(portal):
    live_links(portal, 200)
    rows, ring, began, found, tried = list(Link.select()), portal.ring, time.monotonic(), 0, 0
    genuine = {row.token_id for row in rows}
    batch: list[str] = []

    for guess in guesses(rows, GUESSES):
        batch.append(guess.hex())
        if len(batch) == 1000:
            found += Link.select().where(Link.token_id.in_(batch)).count()
            tried, batch = tried + 1000, []
    asked: Counter[int] = Counter()
    ask = Caller(portal.port)
    for guess in guesses(rows, 1000):
        token = ring.seal("customer", guess, 0, ring.active)
        assert ring.unseal("customer", token).token_id == guess  # the key is good: the signature is genuine
        asked[ask("GET", f"/c/{token}/")[0]] += 1
    sample = [opened(bytes.fromhex(token_id)) for token_id in list(genuine)[:5]]

    say(
        portal,
        f"the key leaked: {tried:,} guessed ids in {time.monotonic() - began:.0f} s, {found} rows; "
        f"1,000 of them over HTTP {dict(asked)}",
    )
    assert (tried, found) == (GUESSES, 0)
    assert set(asked) <= {404, 429}
    assert all(sample)  # the same question finds what is there


def test_a_leaked_database_opens_nothing(portal):
    urls, ring = live_links(portal, 200), portal.ring
    rows = list(Link.select())
    dump = "\n".join(line for _, lines in crawl.tables() for line in lines)
    secret_keys = [key.secret for key in ring._keys.values()]
    spellings = [form for secret in secret_keys for form in (secret.hex(), b64encode(secret).decode().rstrip("="))]
    candidates = [b"\0" * 32, b"secret", *(sha256(text.encode()).digest() for text in dump.split("'")[:400])]
    candidates += [secrets.token_bytes(32) for _ in range(100)]
    tried = opened_ = 0

    for row in rows:
        kind, id, exp = row.kind, bytes.fromhex(row.token_id), row.token_exp
        body = urlsafe_b64encode(id + exp.to_bytes(4)).rstrip(b"=").decode()
        for n, candidate in enumerate(candidates):
            good = candidate if len(set(candidate)) >= 10 and len(candidate) >= 32 else sha256(candidate).digest()
            token = (
                Keyring([Key(row.kid, good)]).seal(kind, id, exp, row.kid)
                if n % 10 == 0
                else (f"{row.kid}{body}~{urlsafe_b64encode(good).rstrip(b'=').decode()}")
            )
            tried += 1
            try:
                ring.unseal(kind, token)
                opened_ += 1
            except BadToken:
                pass

    say(portal, f"the database leaked: {tried:,} tokens made from its {len(rows)} links, {opened_} accepted")
    assert opened_ == 0
    assert len(rows) >= 200
    assert not [form for form in spellings if form in dump]
    assert not [url for url in urls if url.split("/")[2][2:29] in dump]


def test_the_server_says_neither_what_it_is_made_of_nor_whom_it_serves(portal):
    url = live_links(portal, 4)[0]
    connection = http.client.HTTPConnection("127.0.0.1", portal.port)

    for path in (url, "/nowhere", "/healthz", "/v1/ping", "/static/portal.css"):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert not any(letter.isdigit() for letter in answer.getheader("Server") or ""), path
        assert answer.getheader("Set-Cookie") is None
        assert answer.getheader("Content-Security-Policy")
    connection.close()
    assert url.split("/")[2] not in portal.log.read_text()
