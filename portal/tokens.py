"""A token proves that we minted it, and nothing more: whether its link opens is for the row to say.

    token = kid b64u(id[16] || exp u32) "~" b64u(HMAC-SHA256(K[kid, kind], kid body))      always 73 characters

No Flask, no database, no clock.
"""

from __future__ import annotations

import re
import secrets
import struct
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from hmac import compare_digest
from string import ascii_lowercase, digits
from types import MappingProxyType
from typing import Literal, NamedTuple, Self

from itsdangerous import BadSignature, Signer

Kind = Literal["invoice", "customer", "session"]
State = Literal["active", "verify", "recover"]

KINDS: tuple[Kind, ...] = ("invoice", "customer", "session")
PATHS: Mapping[Kind, str] = MappingProxyType({"invoice": "i", "customer": "c", "session": "s"})
STATES: tuple[State, ...] = ("active", "verify", "recover")

TOKEN_LENGTH = 73  # characters
ID_LENGTH = 16  # bytes
SECRET_LENGTH = 32  # bytes, at least
LAST_EXP = 2**32 - 1  # seconds since 1970; 0 means that the token itself never ends

SHAPE = re.compile(r"[a-z0-9]{2}[A-Za-z0-9_-]{27}~[A-Za-z0-9_-]{43}")
_KID = re.compile(r"[a-z0-9]{2}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_BODY = struct.Struct(">16sI")
_FEWEST_DIFFERENT = 10  # bytes: 32 random ones fall below it less than once in 2**80; a typed placeholder does


class BadToken(Exception):
    """We did not mint this text for this kind, or its key is gone."""


class UnknownKey(LookupError):
    """The ring holds no such key that may still mint."""


class KeyringError(ValueError):
    """The ring cannot be used. The message says what to do, and holds no secret."""


class Sealed(NamedTuple):
    """What a token says. `recover`: its key is given up, so its link no longer opens, but may ask for a fresh one."""

    kid: str
    token_id: bytes
    exp: int  # seconds since 1970; 0 is never
    recover: bool


@dataclass(frozen=True)
class Key:
    """One key: `active` mints and opens, `verify` opens, `recover` only shows the way to a fresh link."""

    kid: str
    secret: bytes = field(repr=False)
    state: State = "active"

    def __post_init__(self) -> None:
        if not _KID.fullmatch(self.kid):
            raise KeyringError("A link key's name must be two characters of a-z and 0-9, for example k1.")
        if self.state not in STATES:
            raise KeyringError(f"Link key {self.kid} must be one of active, verify and recover.")
        if len(self.secret) < SECRET_LENGTH:
            raise KeyringError(
                f"Link key {self.kid} has {len(self.secret)} bytes and needs at least {SECRET_LENGTH}: "
                "run `portal keys new` for a good one."
            )
        if len(set(self.secret)) < _FEWEST_DIFFERENT:
            raise KeyringError(f"Link key {self.kid} is not random: run `portal keys new` for a good one.")


class Keyring:
    """The keys that links are signed with. Never changes: adding or taking away gives another ring."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = {key.kid: key for key in _checked(list(keys))}
        # Built once: a Signer takes longer to build than to use.
        self._signers = {
            (key.kid, kind): Canonical(key.secret, salt=f"portal.link.v1.{kind}", sep="~")
            for key in self._keys.values()
            for kind in KINDS
        }

    @classmethod
    def parse(cls, text: str) -> Self:
        """The ring written as "k2:<base64 of 32 bytes>:active,k1:…:verify". Raises KeyringError."""
        entries = [entry.strip() for entry in text.split(",") if entry.strip()]
        return cls(_key(entry, place) for place, entry in enumerate(entries, start=1))

    def dump(self) -> str:
        """The text that parse() reads. It holds the secrets."""
        return ",".join(f"{key.kid}:{b64encode(key.secret).decode()}:{key.state}" for key in self._keys.values())

    @property
    def active(self) -> str:
        """The kid that new links are minted with."""
        return next(key.kid for key in self._keys.values() if key.state == "active")

    @property
    def states(self) -> dict[str, State]:
        return {key.kid: key.state for key in self._keys.values()}

    def has(self, kid: str) -> bool:
        """Do links with this kid still open?"""
        return kid in self._keys and self._keys[kid].state != "recover"

    def seal(self, kind: Kind, token_id: bytes, exp: int, kid: str) -> str:
        """The token of this id, the same every time; `exp` in seconds since 1970, 0 for never. Raises UnknownKey."""
        if not self.has(kid):
            raise UnknownKey(f"Link key {kid} is not in the ring, so links that need it have no address.")
        if len(token_id) != ID_LENGTH or not 0 <= exp <= LAST_EXP:
            raise ValueError(f"A token takes an id of {ID_LENGTH} bytes and an exp from 0 to {LAST_EXP} seconds.")
        body = urlsafe_b64encode(_BODY.pack(token_id, exp)).rstrip(b"=")
        return self._signers[kid, kind].sign(kid.encode() + body).decode()

    def unseal(self, kind: Kind, token: str) -> Sealed:
        """What we sealed into `token` for this kind. Raises BadToken for every other text, and nothing else."""
        if SHAPE.fullmatch(token) is None:
            raise BadToken("not the shape of a token")
        kid = token[:2]
        signer = self._signers.get((kid, kind))
        if signer is None:
            raise BadToken("signed with a key that is not in the ring")
        try:
            signed = signer.unsign(token)
        except BadSignature:
            # Without its cause: that message holds the text.
            raise BadToken("not signed by us for this kind") from None
        token_id, exp = _BODY.unpack(urlsafe_b64decode(signed[2:] + b"="))
        return Sealed(kid, token_id, exp, self._keys[kid].state == "recover")

    def renewed(self, key: Key) -> Keyring:
        """With `key` minting from now on; the one that did still opens its links."""
        return Keyring([replace(key, state="active"), *map(_demoted, self._keys.values())])

    def recovering(self, kid: str) -> Keyring:
        """With a key given up: its links show the way to a fresh one. Raises UnknownKey, or KeyringError if active."""
        given_up = replace(self._spare(kid), state="recover")
        return Keyring(given_up if key.kid == kid else key for key in self._keys.values())

    def without(self, kid: str) -> Keyring:
        """With a key gone: its links are unknown. Raises UnknownKey, or KeyringError if active."""
        gone = self._spare(kid)
        return Keyring(key for key in self._keys.values() if key is not gone)

    def _spare(self, kid: str) -> Key:
        if kid not in self._keys:
            raise UnknownKey(f"Link key {kid} is not in the ring; it holds {', '.join(self._keys)}.")
        if self._keys[kid].state == "active":
            raise KeyringError(f"Link key {kid} mints the new links: run `portal keys new` first.")
        return self._keys[kid]


def new_kid(existing: Collection[str]) -> str:
    """A name that is not among `existing`: the ring's, and best those that rows still mention.

    Random rather than the next one, so that a new key does not answer to the name of one that was lost.
    """
    free = [a + b for a in ascii_lowercase + digits for b in ascii_lowercase + digits if a + b not in existing]
    if not free:
        raise KeyringError("All names for link keys are taken: run `portal keys retire` for keys no link needs.")
    return secrets.choice(free)


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_LENGTH)


def new_token_id() -> bytes:
    return secrets.token_bytes(ID_LENGTH)


class Canonical(Signer):
    """A Signer that accepts the one spelling it writes.

    The stock one compares decoded bytes, and its decoder ignores padding bits and stray characters: one signature
    then has many spellings, and a token many names.
    """

    default_digest_method = staticmethod(sha256)
    default_key_derivation = "hmac"

    def verify_signature(self, value: str | bytes, sig: str | bytes) -> bool:
        return compare_digest(self.get_signature(value), sig.encode() if isinstance(sig, str) else sig)


def _checked(keys: list[Key]) -> list[Key]:
    active = sum(key.state == "active" for key in keys)
    if not keys:
        raise KeyringError("There are no link keys: run `portal keys new` for one.")
    if len({key.kid for key in keys}) < len(keys):
        raise KeyringError("Two link keys have the same name: rename or remove one.")
    if len({key.secret for key in keys}) < len(keys):
        raise KeyringError("Two link keys have the same secret: remove one.")
    if active != 1:
        raise KeyringError(f"Exactly one link key must be active, and {active} are: set the others to verify.")
    return keys


def _key(entry: str, place: int) -> Key:
    parts = entry.split(":")
    if len(parts) != 3:
        raise KeyringError(f"Entry {place} of the link keys must read name:secret:state; `portal keys new` writes one.")
    kid, secret, state = (part.strip() for part in parts)
    if not _KID.fullmatch(kid):
        raise KeyringError(f"The name of link key {place} must be two characters of a-z and 0-9, for example k1.")
    if state not in STATES:
        raise KeyringError(f"Link key {kid} must end in :active, :verify or :recover.")
    return Key(kid, _decoded(secret, kid), state)


def _decoded(secret: str, kid: str) -> bytes:
    """The bytes of either base64 alphabet, padded or not."""
    text = secret.replace("-", "+").replace("_", "/")
    bare = text.rstrip("=")
    if not _BASE64.fullmatch(text) or len(bare) % 4 == 1:
        raise KeyringError(f"The secret of link key {kid} is not base64: run `portal keys new` for a good one.")
    return b64decode(bare + "=" * (-len(bare) % 4))


def _demoted(key: Key) -> Key:
    return replace(key, state="verify") if key.state == "active" else key
