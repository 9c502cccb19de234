"""What signs links and forms: from the settings, or in the data directory, made there by whoever is first."""

from __future__ import annotations

import fcntl
import hmac
import os
import secrets
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from portal.config import LINK_KEYS_FILE, Settings, SettingsError

SECRET_KEY_FILE = "secret-key"  # noqa: S105 - the name of a file


class Secrets(NamedTuple):
    keyring_text: str
    secret_key: str

    def __repr__(self) -> str:
        return "Secrets(…)"


def ensure_secrets(settings: Settings) -> Secrets:
    """The secrets that were set, else those in the data directory, made there by whoever is first.

    Raises SettingsError where the database is elsewhere: other machines could not see what this one made up.
    """
    if not settings.embedded:
        return _set_secrets(settings)
    ring, key = settings.link_keys, settings.secret_key
    return Secrets(
        ring.get_secret_value() if ring else _kept(settings.data_dir / LINK_KEYS_FILE, _new_keyring),
        key.get_secret_value() if key else _kept(settings.data_dir / SECRET_KEY_FILE, _new_secret_key),
    )


def derived_secret(settings: Settings, purpose: str) -> str:
    """A secret for one purpose, the same in every process that has our secret key. Raises SettingsError."""
    key = ensure_secrets(settings).secret_key
    return hmac.digest(key.encode(), purpose.encode(), "sha256").hex()


def write_keyring(settings: Settings, text: str) -> None:
    """Put another ring in the place of the one in the data directory; a reader sees the one or the other."""
    path = settings.keyring_file
    if path is None:
        raise SettingsError("The link keys are not in the data directory: set PORTAL_LINK_KEYS to the new ones.")
    with _file_errors(path), _draft(path, text) as draft:
        os.replace(draft, path)
        _settle(path.parent)


def change_keyring(settings: Settings, change: Callable[[str], str]) -> str:
    """The ring in the data directory after `change` was made to it, one process at a time."""
    ensure_secrets(settings)
    with _file_errors(settings.data_dir), _alone(settings.data_dir):
        changed = change(ensure_secrets(settings).keyring_text)
        write_keyring(settings, changed)
    return changed


def ring_stamp(file: Path) -> tuple[int, int] | None:
    """Differs once the ring in this file was written again, for a running server to see; None without a file."""
    try:
        seen = os.stat(file)
    except FileNotFoundError:
        return None
    return seen.st_ino, seen.st_mtime_ns


def _set_secrets(settings: Settings) -> Secrets:
    ring, key = settings.link_keys, settings.secret_key
    if ring and key:
        return Secrets(ring.get_secret_value(), key.get_secret_value())
    missing = {
        "PORTAL_LINK_KEYS (`portal keys new` prints some)": ring,
        "PORTAL_SECRET_KEY (`openssl rand -hex 32` prints one)": key,
    }
    wanted = " and ".join(name for name, value in missing.items() if not value)
    raise SettingsError(f"Set {wanted}, the same for every process: the database is not in the data directory.")


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What the file holds. If there is none it is made, once: the loser of a race reads the winner's."""
    with _file_errors(path):
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _publish(path, make())
        text = path.read_text(encoding="ascii").strip()
    if not text:
        raise SettingsError(
            f"{path} is empty: restore it from a backup. Removing it makes another, and ends every link."
        )
    return text


def _publish(path: Path, text: str) -> None:
    with _draft(path, text) as draft:
        try:
            # Unlike a rename, a link never takes the place of a file that is there already.
            os.link(draft, path)
        except FileExistsError:
            return
        _settle(path.parent)


@contextmanager
def _draft(path: Path, text: str) -> Iterator[Path]:
    """A finished file beside `path`, for its owner's eyes only, gone afterwards."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # exclusively, mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _settle(directory: Path) -> None:
    """Wait until the directory's entries are on the disk."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingsError(
            f"Cannot use {path} ({error.strerror or error}): set PORTAL_DATA_DIR to a directory that this user may "
            "write, or set PORTAL_LINK_KEYS and PORTAL_SECRET_KEY."
        ) from error
    except UnicodeDecodeError:
        raise SettingsError(f"{path} does not hold what the portal wrote: restore it from a backup.") from None


def _new_keyring() -> str:
    """A ring of one key. Its name is random: a ring that was lost must not be mistaken for this one."""
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    kid = secrets.choice(alphabet) + secrets.choice(alphabet)
    return f"{kid}:{b64encode(secrets.token_bytes(32)).decode()}:active"


def _new_secret_key() -> str:
    return secrets.token_hex(32)
