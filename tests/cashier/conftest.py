"""The cashier needs a database and a gateway, and no app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.gateways import Unreachable
from tests.models.conftest import app as app
from tests.models.conftest import given as given
from tests.models.conftest import kid as kid
from tests.sandbox import NOWHERE, Sandbox

__all__ = ["NOWHERE", "app", "given", "kid"]


class Line:
    """The gateway at the other end of a line that loses answers, and that remembers what was asked."""

    def __init__(self, gateway: Any) -> None:
        self.gateway = gateway
        self.name, self.live = gateway.name, gateway.live
        self.asked: list[str] = []
        self.loses: set[str] = set()  # verbs that are done, and whose answer never comes

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def ask(*words: Any) -> Any:
            self.asked.append(verb)
            answer = getattr(self.gateway, verb)(*words)
            if verb in self.loses:
                raise Unreachable("no answer came")
            return answer

        return getattr(self.gateway, verb) if verb in ("serves", "minimum") else ask


@pytest.fixture
def line(sandbox: Sandbox) -> Any:
    return Line(sandbox.gateway)
