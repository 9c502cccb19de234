"""What goes wrong, as it is answered: RFC 7807, with Orb's types."""

from __future__ import annotations

from portal.api.answers.event import Failed
from portal.api.answers.kinds import Answer, said


class Problem(Answer):
    """Why a request was refused. `detail` says what to do."""

    status: int = said("As in the status line.", 400)
    type: str = said("Which kind of problem it is, as a URL that stands still.")
    title: str = said("The kind in words.")
    detail: str = said("What is wrong with this request, and what to do.")
    validation_errors: list[str] = said(
        "A sentence for each field that is wrong, where the request is malformed.", default=[]
    )

    validation_failed: list[Failed] = said("Of a batch of events: what is wrong with each.", default=[])


class Pong(Answer):
    response: str = said("", "pong")
