"""What is said of a call that its code does not say: in one home for each resource, away from the views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.api.body import Query, Schema

View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Call:
    """What one view takes and answers."""

    summary: str
    answer: Any  # a model of api/answers; None: an empty body
    description: str = ""
    status: int = 200
    body: type[Schema] | None = None
    query: type[Query] | None = None
    example: Mapping[str, Any] | None = None  # of a body
    refused: str = ""  # a sentence that the state of things may be answered with, as a constraint violation
    finds: bool = False  # may answer 404 for something that its body or query names
    files: tuple[str, ...] = ()  # media types of a body that is no JSON
    public: bool = False  # needs no key


@dataclass(frozen=True, slots=True)
class Section:
    """The calls of one resource, in the order in which they are read."""

    name: str
    about: str
    calls: Mapping[View, Call]

    @property
    def slug(self) -> str:
        return self.name.lower().replace(" ", "-")
