"""A stand-in for Stripe to be driven with: localstripe, run as a program, behind a small server of our own.

localstripe keeps the objects: customers, methods, payments, refunds, 3-D Secure, signed webhooks. The server in front
of it knows what localstripe does not, as far as we use it: confirmation tokens, idempotency keys, methods that are
saved by paying, a decline that names its payment, news of a confirmation that failed, and the parameters that
localstripe refuses to hear. It also serves a script with the part of Stripe.js that static/stripe.js calls.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
import stripe

from tests import programs

SCRIPT = Path(__file__).with_name("stripe_stand_in.js")
SECRET = "sk_test_stand_in"
DROPPED = {"description", "use_stripe_sdk", "cancellation_reason", "setup_future_usage", "confirmation_token"}


@contextmanager
def running(folder: Path) -> Iterator[StandIn]:
    """In `folder` is kept what localstripe writes."""
    port = programs.free_port()
    command = [str(Path(sys.executable).with_name("localstripe")), "--port", str(port), "--from-scratch"]
    env = {"PATH": os.environ["PATH"], "TMPDIR": str(folder)}
    with (folder / "localstripe.log").open("w") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        assert programs.wait_until(lambda: programs.answers(port)), "localstripe does not answer"
        stand_in = StandIn(f"http://127.0.0.1:{port}")
        with _served(stand_in):
            yield stand_in
    finally:
        process.terminate()
        process.wait(10)


class StandIn:
    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.url = ""
        self._numbers = count(1)
        self._tokens: dict[str, str] = {}  # confirmation token: method
        self._answered: dict[str, tuple[int, Any]] = {}  # by idempotency key
        self._saves: set[str] = set()  # payments that save their method
        self._relay: tuple[str, str] | None = None
        self._session = requests.Session()
        self._lock = threading.Lock()

    def token(self, **method: str) -> str:
        """A confirmation token for what somebody has typed: `card[number]=…`."""
        status, made = self.behind_the_front("POST", "/v1/payment_methods", method)
        if status != 200:
            raise ValueError(made)
        token = f"ctoken_{next(self._numbers)}"
        self._tokens[token] = made["id"]
        return token

    def tell(self, url: str, secret: str, name: str = "ours") -> None:
        """Have webhooks sent there."""
        answer = requests.post(f"{self.behind}/_config/webhooks/{name}", json={"url": url, "secret": secret}, timeout=5)
        answer.raise_for_status()

    def relay(self, url: str, secret: str) -> None:
        """Have webhooks sent there with what localstripe leaves out of them, and so signed anew."""
        self._relay = (url, secret)
        self.tell(f"{self.url}/hook", SECRET, "front")

    def pass_on(self, body: str, header: str) -> None:
        self._send_on(self._completed(stripe.Webhook.construct_event(body, header, SECRET).to_dict()))

    def _send_on(self, event: Any) -> None:
        if self._relay:
            url, secret = self._relay
            written = json.dumps(event, indent=2)
            headers = {"Stripe-Signature": stripe.WebhookSignature.generate_signature_header(written, secret)}
            requests.post(url, data=written.encode(), headers=headers, timeout=10).raise_for_status()

    def answer(self, method: str, path: str, params: dict[str, str], key: str | None) -> tuple[int, Any]:
        with self._lock:
            if method == "POST" and key in self._answered:
                return self._answered[key]
            answered = self._answer(method, path, params)
            if method == "POST" and key:
                self._answered[key] = answered
            return answered

    def _answer(self, method: str, path: str, params: dict[str, str]) -> tuple[int, Any]:
        if path == "/v1/confirmation_tokens":
            return self._new_token(params)
        if path == "/v1/payment_intents" and method == "POST":
            return self._pay(params)
        if path == "/v1/payment_intents/search":
            return 404, {"error": {"type": "invalid_request_error", "message": "not offered"}}
        if path.endswith("/payment_methods") and path.startswith("/v1/customers/"):
            customer = path.split("/")[3]
            return self.behind_the_front("GET", "/v1/payment_methods", {"customer": customer, "type": "card"})
        kept = {name: value for name, value in params.items() if name not in DROPPED and not name.startswith("types[")}
        status, found = self.behind_the_front(method, path, kept)
        if path.endswith("/_authenticate") and params.get("success") == "false":  # of which localstripe sends no news
            news = {"id": f"evt_front_{found['id']}", "object": "event", "created": found["created"], "livemode": False}
            failed = {"type": "payment_intent.payment_failed", "data": {"object": self._completed(found)}}
            threading.Thread(target=self._send_on, args=(news | failed,)).start()
        return status, self._completed(found) if status == 200 else found

    def _new_token(self, params: dict[str, str]) -> tuple[int, Any]:
        try:
            return 200, {"id": self.token(**params), "object": "confirmation_token"}
        except ValueError as error:
            return 402, error.args[0]

    def _pay(self, params: dict[str, str]) -> tuple[int, Any]:
        kept = {name: value for name, value in params.items() if name not in DROPPED}
        if token := params.get("confirmation_token"):
            if token not in self._tokens:
                return 400, {"error": {"type": "invalid_request_error", "code": "resource_missing", "param": "token"}}
            kept["payment_method"] = self._tokens.pop(token)
        status, made = self.behind_the_front("POST", "/v1/payment_intents", kept)
        if status == 402:
            _, charge = self.behind_the_front("GET", f"/v1/charges/{made['error']['charge']}", {})
            _, intent = self.behind_the_front("GET", f"/v1/payment_intents/{charge['payment_intent']}", {})
            made["error"] |= {"type": "card_error", "payment_intent": self._completed(intent)}
        if status == 200 and params.get("setup_future_usage"):
            self._saves.add(made["id"])
        return status, self._completed(made) if status == 200 else made

    def _completed(self, found: Any) -> Any:
        """With what Stripe says of a payment and localstripe does not; its method saved, if that was wished."""
        if isinstance(found.get("data"), list):
            return found | {"data": [self._completed(one) for one in found["data"]]}
        if found.get("object") == "event" and found["data"]["object"].get("object") == "payment_intent":
            return found | {"data": {"object": self._completed(found["data"]["object"])}}
        if found.get("object") != "payment_intent":
            return found
        succeeded = found["status"] == "succeeded"
        saves = found["id"] in self._saves
        method = found.get("payment_method")
        if saves and succeeded and isinstance(method, dict) and not method.get("customer"):
            path = f"/v1/payment_methods/{method['id']}/attach"
            self.behind_the_front("POST", path, {"customer": found["customer"]})
        return found | {
            "amount_received": found["amount"] if succeeded else 0,
            "setup_future_usage": "off_session" if saves else None,
        }

    def behind_the_front(self, method: str, path: str, params: dict[str, str]) -> tuple[int, Any]:
        sent = {"params": params} if method == "GET" else {"data": urlencode(params)}
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/x-www-form-urlencoded"}
        answer = self._session.request(method, self.behind + path, headers=headers, timeout=10, **sent)  # type: ignore[arg-type]  # one of two
        return answer.status_code, answer.json()


@contextmanager
def _served(stand_in: StandIn) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            url = urlsplit(self.path)
            if url.path == "/stripe.js":
                self._send(200, SCRIPT.read_bytes(), "text/javascript")
                return
            if url.path == "/hook":
                self._send(200, b"", "text/plain")
                stand_in.pass_on(body, self.headers["Stripe-Signature"])
                return
            if not url.path.startswith("/v1/"):
                self._send(404, b"", "text/plain")
                return
            params = dict(parse_qsl(url.query) + parse_qsl(body))
            status, found = stand_in.answer(self.command, url.path, params, self.headers.get("Idempotency-Key"))
            self._send(status, json.dumps(found).encode(), "application/json")

        def _send(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names that the library calls

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
