"""The one place that knows every floor: it puts the house together and lets a request in."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from flask import Flask, Response, g, request
from flask.sessions import SessionInterface
from htmx_flask import Htmx
from htmx_flask.requests import HtmxAwareRequest
from jinja2 import StrictUndefined
from peewee import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import api, assets, compression, logs, web
from portal.config import Settings, read_settings
from portal.gateways import Gateway, open_gateway
from portal.logs import configure, log
from portal.models import base
from portal.rates import Rates
from portal.secret_store import ensure_secrets, ring_stamp
from portal.stamps import Stamps
from portal.tokens import Keyring

LARGEST_BODY = 256 * 1024  # bytes
LARGEST_UPLOAD = 1024 * 1024
RETRY_SECONDS = 2  # when the database did not answer


class House:
    """What requests reach for through `current`: the settings, the ring of keys, the limits, the gateway."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rates = Rates(settings.redis_url)
        self.secret_key = ensure_secrets(settings).secret_key
        self._keyring_file = settings.keyring_file
        self._stamp: tuple[int, int] | None = None
        self._ring: Keyring | None = None

    def keyring(self) -> Keyring:
        """The ring as it is now: `portal keys` may write another one while we run."""
        stamp = ring_stamp(self._keyring_file) if self._keyring_file else None
        if self._ring is None or stamp != self._stamp:
            self._ring, self._stamp = Keyring.parse(ensure_secrets(self.settings).keyring_text), stamp
        return self._ring

    def stamps(self, purpose: str) -> Stamps:
        return Stamps(self.secret_key, purpose)

    @cached_property
    def gateway(self) -> Gateway | None:
        return open_gateway(self.settings.gateway, self.settings)


class NoSession(SessionInterface):
    """No cookie is read or written (decision 2)."""

    def open_session(self, *_: Any) -> None:
        return None


class Request(HtmxAwareRequest):
    def get_data(self, *args: Any, **named: Any) -> Any:
        """Raises RequestEntityTooLarge, also where the body was sent in chunks: werkzeug would keep its beginning."""
        data, most = super().get_data(*args, **named), self.max_content_length
        if self.content_length is None and most is not None and len(data) >= most:
            raise RequestEntityTooLarge
        return data

    @property
    def wants_fragment(self) -> bool:
        """Did htmx ask for a piece of a page? (htmx 4 says "full" when it wants the whole.)"""
        return bool(self.htmx) and self.headers.get("HX-Request-Type") != "full"


def create_app(settings: Settings | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Flask:
    """The portal as a WSGI application. `clock` tells the moment of each request; nothing else asks the time."""
    settings = settings or read_settings()
    configure(settings.log_level)
    base.connect(settings.database_url)
    app = Flask(__name__, template_folder=str(assets.folder("templates")), static_folder=None)
    app.extensions["portal"] = house = House(settings)
    app.config |= {"SECRET_KEY": house.secret_key, "MAX_CONTENT_LENGTH": LARGEST_BODY}
    app.url_map.strict_slashes = False
    app.jinja_options = {"undefined": StrictUndefined, "autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    Htmx(app)
    app.request_class = Request
    app.session_interface = NoSession()
    _let_in(app, clock)
    _answer_errors(app)
    api.register(app)
    web.register(app)
    compression.register(app)
    app.wsgi_app = _outside(app, house, clock)  # type: ignore[method-assign]  # Flask's own way to add middleware
    return app


def _let_in(app: Flask, clock: Callable[[], datetime]) -> None:
    @app.before_request
    def begin() -> None:
        g.now, g.actor, g.began = clock(), "system", time.perf_counter()
        base.db.connect(reuse_if_open=True)

    @app.after_request
    def note(response: Response) -> Response:
        rule = str(request.url_rule) if request.url_rule else "-"
        logs.request(request.method, rule, response.status_code, g.get("began"), g.get("actor"))
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        base.give_back()


def _answer_errors(app: Flask) -> None:
    """Every error leaves in the shape of the side it happened on; what is ours alone is written down."""

    def answer(error: HTTPException) -> Any:
        return api.refusal(error) if request.path.startswith("/v1/") else web.refusal(error)

    @app.errorhandler(HTTPException)
    def known(error: HTTPException) -> Any:
        return answer(error)

    @app.errorhandler(OperationalError)
    @app.errorhandler(InterfaceError)
    def no_database(error: Exception) -> Any:
        log().error("database", route=str(request.url_rule), error=type(error).__name__)
        base.forget_connection()
        return answer(_Busy())

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Any:
        log().error("failure", route=str(request.url_rule), exc_info=error)
        return answer(_Failure())


class _Busy(HTTPException):
    code = 503
    description = "The database did not answer. Nothing was lost; try again in a moment."
    retry_after = RETRY_SECONDS

    def get_headers(self, *_: Any, **__: Any) -> list[tuple[str, str]]:
        return [("Retry-After", str(self.retry_after))]


class _Failure(HTTPException):
    code = 500
    description = "Something broke on our side. It has been written down."


def _outside(app: Flask, house: House, clock: Callable[[], datetime]) -> Any:
    settings = house.settings
    https = settings.base_url.startswith("https:")
    answers = api.Express(app.wsgi_app, app, clock, web.headers.page([], https=https).items())
    files = web.Files(web.Express(answers, house, clock), https=https)
    hops = settings.trusted_proxies
    return ProxyFix(files, x_for=hops, x_proto=hops, x_host=0) if hops else files
