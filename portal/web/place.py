"""Where a section stands, and what the address of the visitor's page asks of it and of the others.

So reload, back, forward and a bookmark show the whole account with every section as it was left. Nothing else keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from flask import request

from portal.web.filters import to
from portal.web.fragments import wanted

QUESTIONS = ("metric", "period", "view", "group_by", "number", "status", "year", "older_than", "newer_than")
LONGEST = 64  # characters of an answer that is worth keeping


@dataclass(frozen=True, slots=True)
class Place:
    """One section that can be asked."""

    id: str  # of its root element
    tail: str  # its own address below the link
    names: tuple[str, ...]  # what it is asked
    alone: bool  # in a frame of its own, not on the whole account
    known: bool  # is the page that it is asked for one of ours?
    asked: dict[str, str]  # all that the page's address asks

    @classmethod
    def of(cls, id: str, tail: str, names: tuple[str, ...]) -> Self:
        """On the page that this request is for, or that htmx asks a part of."""
        home = request.script_root + "/".join(request.path.split("/", 3)[:3]) + "/"
        path, query = request.path, request.query_string.decode("ascii", "ignore")
        if wanted():
            looking = urlsplit(request.headers.get("HX-Current-URL", ""))
            path, query = looking.path or home, looking.query
        else:
            path = request.script_root + path
        return cls(id, tail, names, path != home, path in (home, home + tail), _asked(query))

    @property
    def action(self) -> str:
        """Where its form goes without script: to the whole account, at this section."""
        return to(self.tail) if self.alone else f"{to()}#{self.id}"

    @property
    def others(self) -> dict[str, str]:
        """What the other sections are asked."""
        return {} if self.alone else {name: text for name, text in self.asked.items() if name not in self.names}

    def whole(self, **own: Any) -> str:
        """The visitor's page with this section asked `own`."""
        return to(self.tail, **own) if self.alone else f"{to(**self.others, **own)}#{self.id}"

    def part(self, **own: Any) -> str:
        """This section alone, for htmx."""
        return to(self.tail, **own)

    def followed(self) -> str | None:
        """What the address of the visitor's page becomes by what is asked of the section now; None where nothing new.

        Relative, so that no token stands in a header.
        """
        own = {name: text for name, text in _pairs(request.args.items()).items() if name in self.names}
        if not self.known or self.others | own == self.asked:
            return None
        return to(self.tail if self.alone else "", **self.others, **own)


def _asked(query: str) -> dict[str, str]:
    try:
        return _pairs(parse_qsl(query, max_num_fields=50))
    except ValueError:
        return {}


def _pairs(pairs: Any) -> dict[str, str]:
    return {name: text for name, text in pairs if name in QUESTIONS and text and len(text) <= LONGEST}
