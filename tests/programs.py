"""The `portal` command as a program of its own: run to its end, or left running while a test looks at it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HOUSE = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "portal"]
PATIENCE_SECONDS = 30


def environment(**settings: str) -> dict[str, str]:
    """A bare environment, with PORTAL_… as given: `environment(data_dir=...)`."""
    named = {f"PORTAL_{name.upper()}": str(value) for name, value in settings.items()}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(HOUSE), **named}


def run(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], env=dict(env), capture_output=True, text=True, cwd="/")


def at_once(*commands: list[str], env: Mapping[str, str]) -> list[tuple[int, str, str]]:
    """Starts all commands before it waits for one: exit code, stdout and stderr of each."""
    started = [
        subprocess.Popen(
            [*COMMAND, *command], env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/"
        )
        for command in commands
    ]
    ended = [(one, *one.communicate(timeout=2 * PATIENCE_SECONDS)) for one in started]
    return [(one.returncode, out, err) for one, out, err in ended]


@contextmanager
def running(*arguments: str, env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """The command until the block ends; its stdout is a pipe, its stderr goes to `log`."""
    with log.open("w") as errors:
        started = subprocess.Popen(
            [*COMMAND, *arguments], env=dict(env), stdout=subprocess.PIPE, stderr=errors, text=True, cwd="/"
        )
    try:
        yield started
    finally:
        started.terminate()
        started.wait(PATIENCE_SECONDS)
        if started.stdout:
            started.stdout.close()


def wait_until(true: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
