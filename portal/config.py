"""Every setting is an environment variable PORTAL_<NAME>, is optional, and is described here and nowhere else."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "PORTAL_"
DEFAULT_PORT = 8000
SANDBOX_PORT = 8010
SANDBOX_FILE = "sandbox.url"  # where the sandbox that runs beside this data directory says its address
LINK_KEYS_FILE = "link-keys"
SECRET_KEY_LENGTH = 32  # characters, at least
_FEWEST_DIFFERENT = 8  # characters: "changeme" over and over has 7
_BURST_SECONDS = 10  # what a rate without a burst may save up


class SettingsError(Exception):
    """A setting cannot be used. The message is for whoever set it: what to do, and no secret."""


class ApiRate(NamedTuple):
    """What one API key may ask: so many requests a second for ever, and `burst` at once. Zero is no limit."""

    per_second: int
    burst: int


class Described(NamedTuple):
    """A setting as the README's table shows it."""

    variable: str
    default: str
    unit: str
    description: str


def _rate(given: object) -> object:
    if not isinstance(given, str):
        return given
    match = re.fullmatch(r"(\d{1,9})(?:/(\d{1,9}))?", given.strip(), re.ASCII)
    rate = ApiRate(int(match[1]), int(match[2] or int(match[1]) * _BURST_SECONDS)) if match else None
    if rate is None or rate.burst < rate.per_second:
        raise ValueError("must be requests a second and the burst, such as 100/1000, or 0 for no limit")
    return ApiRate(0, 0) if rate.per_second == 0 else rate


def _networks(given: object) -> object:
    if not isinstance(given, str):
        return given
    try:
        return tuple(ip_network(part.strip()) for part in given.split(",") if part.strip())
    except ValueError:
        raise ValueError("must be networks with commas between them, such as 10.0.0.0/8,fd00::/8") from None


def _secrets(given: object) -> object:
    """Several secrets in one variable: the new one and the old one, while they are changed."""
    if not isinstance(given, str):
        return given
    return tuple(SecretStr(part.strip()) for part in given.split(",") if part.strip())


def _setting(default: Any, description: str, *, unit: str, shown: str | None = None, **more: Any) -> Any:
    """A field that knows its row in the README."""
    described = {"unit": unit, "shown": str(default) if shown is None else shown}
    if callable(default):
        more["default_factory"] = default
    else:
        more["default"] = default
    return Field(description=description, json_schema_extra=dict(described), **more)


class Settings(BaseSettings):
    """The environment, read once. Raises ValidationError; read_settings() says it in sentences."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, validate_default=True, hide_input_in_errors=True
    )

    data_dir: Path = _setting(
        Path("data"),
        "Where the embedded database, the generated secrets and the kept documents live.",
        unit="directory",
        shown="./data",
    )
    database_url: str = _setting(
        lambda earlier: f"sqlite:///{earlier.get('data_dir', 'data')}/portal.db",
        "The database: sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/NAME.",
        unit="URL",
        shown="SQLite in the data directory",
        repr=False,
    )
    base_url: str = _setting(
        f"http://127.0.0.1:{DEFAULT_PORT}",
        "What links begin with: the address under which customers reach the portal. "
        "https, except on this machine itself. Unless set, its port follows `serve --port`.",
        unit="URL",
    )
    link_keys: SecretStr | None = _setting(
        None,
        "The keys that sign links, as `portal keys new` prints them.",
        unit="name:secret:state, with commas between",
        shown="generated in the data directory; must be set for any other database",
    )
    secret_key: SecretStr | None = _setting(
        None,
        "What signs forms and console sessions.",
        unit=f"at least {SECRET_KEY_LENGTH} random characters",
        shown="generated in the data directory; must be set for any other database",
    )
    redis_url: str | None = _setting(
        None,
        "Redis or Valkey, for limits that all web processes share. Without it each process counts for itself.",
        unit="URL",
        shown="none",
        repr=False,
    )
    smtp_url: str | None = _setting(
        None,
        "The mail server, smtp:// or smtps://USER:PASSWORD@HOST:PORT. "
        "Without it letters stay in the outbox, visible in the console.",
        unit="URL",
        shown="none",
        repr=False,
    )
    gateway: Literal["none", "sandbox", "stripe"] = _setting(
        "none",
        "Who moves money. New accounts are in test mode while it is `sandbox`, or `stripe` with a test key.",
        unit="none, sandbox or stripe",
    )
    sandbox_url: str = _setting(
        f"http://127.0.0.1:{SANDBOX_PORT}",
        "Where `portal sandbox` answers. "
        "Unless set, it follows the port of a sandbox that was started in the same data directory.",
        unit="URL",
    )
    stripe_secret_key: SecretStr | None = _setting(
        None,
        "Stripe's secret key (or a restricted one), for PORTAL_GATEWAY=stripe. A live key moves real money.",
        unit="sk_… or rk_…",
        shown="none",
    )
    stripe_publishable_key: str | None = _setting(
        None,
        "Stripe's publishable key, of the same account and mode. It is shown to browsers.",
        unit="pk_…",
        shown="none",
    )
    stripe_webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_secrets)] = _setting(
        (),
        "The signing secrets of Stripe's webhook endpoint; any of them may have signed.",
        unit="whsec_…, with commas between",
        shown="none",
    )
    stripe_api_url: str | None = _setting(
        None,
        "For tests only: a server on this machine that is asked instead of Stripe, and serves its script.",
        unit="http:// URL on 127.0.0.1",
        shown="Stripe",
    )
    trusted_proxies: int = _setting(
        0,
        "How many proxies of yours stand before the portal; so many X-Forwarded-For entries are believed.",
        unit="count",
        ge=0,
        le=10,
    )
    api_rate: Annotated[ApiRate, NoDecode, BeforeValidator(_rate)] = _setting(
        ApiRate(100, 1000),
        "What one API key may ask: requests a second, and how many at once. 0 is no limit.",
        unit="requests a second/burst",
        shown="100/1000",
    )
    notice_allow: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)] = _setting(
        (),
        "Private networks that notices may be sent to; public addresses always may.",
        unit="networks, with commas between",
        shown="none",
    )
    event_grace_hours: int = _setting(
        12,
        "How late events of usage may come, unless they belong to a backfill.",
        unit="hours",
        ge=0,
        le=24 * 366,
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info",
        "The least important kind of message that is logged.",
        unit="debug, info, warning or error",
    )

    @property
    def sqlite_path(self) -> Path | None:
        """The database's file, where it is one."""
        name = self.database_url.removeprefix("sqlite:///")
        return None if name == self.database_url else Path(name)

    @property
    def embedded(self) -> bool:
        """Is the database SQLite in the data directory? Then the secrets may live there too."""
        return self.sqlite_path is not None and self.sqlite_path.resolve().is_relative_to(self.data_dir.resolve())

    @property
    def loopback(self) -> bool:
        """Is the portal reached on this machine only, without https?"""
        return self.base_url.startswith("http://")  # base_url allows it nowhere else

    @property
    def new_mode(self) -> Literal["test", "live"]:
        """The mode of accounts that are made now, for good: test, where no real money could move."""
        key = self.stripe_secret_key.get_secret_value() if self.stripe_secret_key else ""
        tries_stripe = self.gateway == "stripe" and key.startswith(("sk_test_", "rk_test_"))
        return "test" if self.gateway == "sandbox" or tries_stripe else "live"

    @property
    def money_mover(self) -> str:
        """The gateway, and whose money it moves: another one, and what pages offer is not what it was."""
        return f"stripe, {self.new_mode}" if self.gateway == "stripe" else self.gateway

    @property
    def keyring_file(self) -> Path | None:
        """The file of the link keys, where they are ours to write, as `portal keys` does."""
        return self.data_dir / LINK_KEYS_FILE if self.embedded and self.link_keys is None else None

    @property
    def sandbox_address(self) -> str:
        """Where the sandbox answers now: it may have been started again on another port."""
        if "sandbox_url" not in self.model_fields_set:
            with suppress(OSError, UnicodeDecodeError):
                return (self.data_dir / SANDBOX_FILE).read_text("ascii").strip() or self.sandbox_url
        return self.sandbox_url

    def on_port(self, port: int) -> Self:
        """These settings for a server on `port`: links follow it unless base_url was set."""
        if "base_url" in self.model_fields_set:
            return self
        return self.model_copy(update={"base_url": f"http://127.0.0.1:{port}"})

    @field_validator("gateway", "log_level", mode="before")
    @classmethod
    def _lower(cls, given: object) -> object:
        return given.strip().lower() if isinstance(given, str) else given

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, given: Path) -> Path:
        return given.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _database(cls, given: str) -> str:
        if given.startswith(("postgresql://", "postgres://")):
            return given
        name = given.removeprefix("sqlite:///")
        if name in ("", given) or name.startswith(":memory:") or set(name) & set("?#"):
            raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
        return f"sqlite:///{Path(name).expanduser().absolute()}"

    @field_validator("base_url", "sandbox_url")
    @classmethod
    def _address(cls, given: str) -> str:
        url = _split(given)
        if url is None or url.scheme not in ("http", "https") or not url.hostname or not _only_an_origin(url):
            raise ValueError("must be an address without a path, such as https://pay.example.com")
        if url.scheme == "http" and not _is_loopback(url.hostname):
            raise ValueError(
                "must begin with https:// (http:// is for 127.0.0.1 and localhost): links are as good as keys"
            )
        return f"{url.scheme}://{url.netloc.lower()}"

    @field_validator("stripe_secret_key", "stripe_publishable_key", "stripe_webhook_secrets")
    @classmethod
    def _stripe(cls, given: Any, info: ValidationInfo) -> Any:
        """The three look alike in a dashboard, and are easily put into each other's place."""
        begin = {"stripe_secret_key": ("sk_", "rk_"), "stripe_publishable_key": ("pk_",)}
        allowed = begin.get(info.field_name or "", ("whsec_",))
        for one in given if isinstance(given, tuple) else filter(None, [given]):
            text = one.get_secret_value() if isinstance(one, SecretStr) else one
            if not text.startswith(allowed):
                raise ValueError(f"must begin with {' or '.join(allowed)}")
        return given

    @field_validator("stripe_api_url")
    @classmethod
    def _stand_in(cls, given: str | None) -> str | None:
        url = _split(given) if given is not None else None
        local = url is not None and url.scheme == "http" and _is_loopback(url.hostname or "") and _only_an_origin(url)
        if given is not None and not local:
            raise ValueError("must be an http:// address of this machine, such as http://127.0.0.1:8420")
        return given.rstrip("/") if given else None

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, given: str | None) -> str | None:
        if given is not None and not given.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return given

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, given: str | None) -> str | None:
        url = _split(given) if given is not None else None
        if given is not None and (url is None or url.scheme not in ("smtp", "smtps") or not url.hostname):
            raise ValueError("must be smtp://HOST:PORT or smtps://USER:PASSWORD@HOST:PORT")
        return given

    @field_validator("secret_key")
    @classmethod
    def _hard_to_guess(cls, given: SecretStr | None) -> SecretStr | None:
        text = given.get_secret_value() if given is not None else None
        if text is not None and (len(text) < SECRET_KEY_LENGTH or len(set(text)) < _FEWEST_DIFFERENT):
            raise ValueError(
                f"must be at least {SECRET_KEY_LENGTH} random characters; `openssl rand -hex 32` prints some"
            )
        return given


def read_settings(**given: Any) -> Settings:
    """The settings from the environment, or from `given` where it says. Raises SettingsError."""
    try:
        return Settings(**given)
    except ValidationError as refused:
        sentences = [_sentence(error) for error in refused.errors(include_url=False, include_input=False)]
        raise SettingsError("\n".join(sentences)) from None


def described() -> list[Described]:
    """Every setting, in order."""
    rows = []
    for name, field in Settings.model_fields.items():
        more: Any = field.json_schema_extra
        rows.append(Described(PREFIX + name.upper(), more["shown"], more["unit"], field.description or ""))
    return rows


def _split(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text.strip())
        _ = url.port
    except ValueError:
        return None
    return url


def _only_an_origin(url: SplitResult) -> bool:
    return url.path in ("", "/") and not url.query and not url.fragment and "@" not in url.netloc


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or _is_loopback_address(host)


def _is_loopback_address(host: str) -> bool:
    try:
        address: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback


def _sentence(error: Any) -> str:
    """What pydantic found, for somebody who set a variable."""
    plain = {
        "literal_error": "must be {expected}",
        "int_parsing": "must be a whole number",
        "greater_than_equal": "must be {ge} or more",
        "less_than_equal": "must be {le} or less",
        "value_error": "{error}",
    }
    said = plain.get(error["type"], "cannot be used").format(**error.get("ctx", {}))
    return f"{PREFIX}{str(error['loc'][0]).upper()} {said}."
