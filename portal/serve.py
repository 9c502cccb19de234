"""The production server: gunicorn with threads. Its log holds no path, because the path of a portal page is a key."""

from __future__ import annotations

import signal
import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException

from portal import assets
from portal.app import create_app
from portal.config import Settings, SettingsError
from portal.gateways import open_gateway
from portal.logs import configure, log

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

THREADS = 4  # a worker process
BACKLOG = 1024  # connections that wait to be accepted
SILENCE_SECONDS = 30  # how long a client may say nothing in the middle of a request, or take nothing of the answer
KEEPALIVE_SECONDS = 15
LONGEST_REQUEST_LINE = 8190  # bytes, the most that gunicorn takes: a list of some 200 ids in a query
MOST_UNREAD = 16 << 20  # bytes of a refused body that are still taken
GRACEFUL_SECONDS = 30  # what a request that has begun may still take when the server stops
ENDS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, before anything slow is done: port 0 is any free one. Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    # Connections inherit these. Without them one silent client would hold a thread for ever.
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        listener.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", SILENCE_SECONDS, 0))
    return listener


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def serve(
    settings: Settings, listener: socket.socket, workers: int, when_ready: Callable[[], None] = lambda: None
) -> None:
    """Serves until SIGTERM (requests that have begun are finished) or Ctrl-C. The database must have been checked.

    Raises SettingsError, and Misconfigured where the gateway misses a setting.
    """
    if not (assets.folder("static") / assets.HTMX).is_file():
        raise SettingsError(f"static/{assets.HTMX} is missing, and no page can do without it: `make setup` fetches it.")
    if settings.redis_url and find_spec("redis") is None:
        raise SettingsError("PORTAL_REDIS_URL needs a package more: install invoice-portal[valkey].")
    open_gateway(settings.gateway, settings)  # what it misses is said now, and not to the first who pays
    configure(settings.log_level)
    Server(settings, listener, workers, when_ready).run()


class Server(BaseApplication):
    def __init__(
        self, settings: Settings, listener: socket.socket, workers: int, when_ready: Callable[[], None]
    ) -> None:
        self.settings = settings
        self.options = {
            "bind": [f"fd://{listener.detach()}"],
            "workers": workers,
            "worker_class": "gthread",
            "threads": THREADS,
            "keepalive": KEEPALIVE_SECONDS,
            "limit_request_line": LONGEST_REQUEST_LINE,
            "graceful_timeout": GRACEFUL_SECONDS,
            "logger_class": ServerLog,
            "loglevel": settings.log_level,
            "control_socket_disable": True,
            # Who may speak for others is PORTAL_TRUSTED_PROXIES' to say, not gunicorn's.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "when_ready": lambda _: when_ready(),
            "post_fork": lambda _, __: _hear_of_the_end(),
        }
        super().__init__()

    def run(self) -> None:
        Parent(self).run()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """In each worker process, so that none shares a connection with another."""
        return read_to_the_end(create_app(self.settings))


def read_to_the_end(app: WSGIApplication) -> WSGIApplication:
    """Takes what `app` left unread of a body. Else gunicorn closes a connection that it has just said it keeps.

    The next request on it would be lost, and sometimes the answer itself.
    """

    def reading(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = app(environ, start_response)
        left = MOST_UNREAD
        with suppress(OSError, ParseException):  # the client has gone, or breaks off: gunicorn sees that itself
            while left > 0 and (taken := environ["wsgi.input"].read(min(left, 1 << 16))):
                left -= len(taken)
        return answer

    return reading


class Parent(Arbiter):
    """Holds back what would end a process while it begins: a signal that it does not hear is waited for in vain."""

    def spawn_worker(self) -> Any:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        try:
            return super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _hear_of_the_end() -> None:
    """In a process that has just begun and holds nothing yet: what was held back ends it at once."""
    for number in ENDS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)


class ServerLog(Logger):
    """What gunicorn says of itself, as our JSON lines. What it says of requests quotes them, so it is not repeated."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()

    def access(self, *_: Any) -> None:
        pass

    def debug(self, msg: Any, *args: Any, **_: Any) -> None:
        self._say("debug", msg, args)

    def info(self, msg: Any, *args: Any, **_: Any) -> None:
        self._say("info", msg, args)

    def warning(self, msg: Any, *args: Any, **_: Any) -> None:
        self._say("warning", msg, args)

    def error(self, msg: Any, *args: Any, **_: Any) -> None:
        self._say("error", msg, args)

    def critical(self, msg: Any, *args: Any, **_: Any) -> None:
        self._say("critical", msg, args)

    def exception(self, msg: Any, *_: Any, **__: Any) -> None:
        log().error("server", exc_info=True)

    def _say(self, level: str, msg: Any, args: tuple[Any, ...]) -> None:
        text = str(msg)
        if text.startswith("Invalid request from"):
            text, args = "A request was malformed.", ()
        getattr(log(), level)("server", message=text % args if args else text)
