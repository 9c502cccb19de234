"""What the sandbox refuses, in sentences."""

from __future__ import annotations


class Refused(Exception):
    """Nothing was made, and asking again would change nothing."""

    status = 422

    def __init__(self, message: str, failure: str = "unknown") -> None:
        super().__init__(message)
        self.failure = failure


class NotThere(Refused):
    status = 404


class OtherBody(Refused):
    """The key was used for something else before."""

    status = 409
