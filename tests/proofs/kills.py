"""kill -9, again and again, to processes that are at something with money; and what each kill has met."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests import programs
from tests.proofs import blackbox

KINDS = ("web", "worker")
AT_WORK = (blackbox.ASKS, blackbox.WRITES, blackbox.BETWEEN)
ROUND = ("refunds", "collecting", "reading", "orphans")  # what a worker comes to after it has resolved payments
CHOOSY_SECONDS, SLOW_SECONDS = 1, 6  # that are waited at most for what was chosen, and for anything to be open
STOPPED, GONE = ("T",), ("X", "Z")
ALL_OF_THE_WEB = 0.1  # of kills of the web


@dataclass
class Kills:
    """Of processes whose parents begin them again."""

    boxes: Path  # their black boxes
    parents: Mapping[str, subprocess.Popen[str]]  # by kind
    most: int  # of each kind
    chance: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    met: dict[str, Counter[str]] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})
    within: Counter[str] = field(default_factory=Counter)  # what the workers were about

    def are_done(self) -> bool:
        return all(self.killed[kind] >= self.most for kind in KINDS)

    def go_on(self) -> None:
        """One to a worker or to a process of the web; now and then to all of the web at once."""
        kind = self.chance.choice([kind for kind in KINDS if self.killed[kind] < self.most])
        pids = self._pids(kind)
        if kind == "worker" or self.chance.random() >= ALL_OF_THE_WEB:
            pids = [self._at_work(kind)]
        for pid in pids[: self.most - self.killed[kind]]:
            os.kill(pid, signal.SIGKILL)
            assert programs.wait_until(lambda pid=pid: not runs(pid)), pid
            held, within = blackbox.met(self.boxes, pid)
            self.killed[kind] += 1
            self.met[kind][held] += 1
            self.within += Counter([within] if kind == "worker" and within else [])

    def too_tame(self, at_work: float, each: float) -> list[str]:
        """Of which kills too few have met somebody at work, or at asking, or in a transaction; as shares of all."""
        said = []
        for kind, held in self.met.items():
            total = held.total()
            if sum(held[one] for one in AT_WORK) < at_work * total:
                said.append(f"{kind}: {dict(held)}")
            said += [f"{kind}: {held[one]} of {total} met {one}" for one in AT_WORK[:2] if held[one] < each * total]
        return said

    def _at_work(self, kind: str) -> int:
        """The first that is stopped at what was chosen, or any after some time."""
        wanted = self.chance.choice([(blackbox.ASKS,), (blackbox.WRITES,), AT_WORK])
        about = self.chance.choice(ROUND) if kind == "worker" and self.chance.random() < 0.5 else ""
        began = time.monotonic()
        while True:
            waited = time.monotonic() - began
            if waited > CHOOSY_SECONDS:
                wanted, about = AT_WORK, ""
            for pid in self._pids(kind):
                held, within = blackbox.met(self.boxes, pid)
                is_it = held in wanted and about in within
                if waited > SLOW_SECONDS or (is_it and self._is_stopped_at(pid, wanted)):
                    return pid
            time.sleep(0.0005)

    def _is_stopped_at(self, pid: int, wanted: tuple[str, ...]) -> bool:
        """On a busy machine it would be somewhere else by the time that it is killed. Else it goes on."""
        os.kill(pid, signal.SIGSTOP)
        programs.wait_until(lambda: state(pid) in STOPPED + GONE, SLOW_SECONDS)
        is_there = blackbox.met(self.boxes, pid)[0] in wanted
        if not is_there:
            os.kill(pid, signal.SIGCONT)
        return is_there

    def _pids(self, kind: str) -> list[int]:
        parent = self.parents[kind]
        assert parent.poll() is None, f"{kind} ended by itself"
        found = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        return [int(child) for child in found if runs(int(child))]


def runs(pid: int) -> bool:
    """Not when it is dead and its parent has not looked yet."""
    return state(pid) not in GONE


def state(pid: int) -> str:
    """The letter that Linux has for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return GONE[0]
