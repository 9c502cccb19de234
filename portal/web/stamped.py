"""Forms that do something: each carries a signed stamp of whom and what it was made for, and when.

No cookie is asked: whoever has no open link gets no stamp, and a stamp is worth nothing with another link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Self

from flask import g
from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.csrf.core import CSRF
from wtforms.validators import StopValidation

from portal import current
from portal.tokens import BadToken

AGE = timedelta(minutes=30)
NOT_OURS = "This form was open for too long, or was not made for you here. Nothing was done: reload and try again."


@dataclass(frozen=True, slots=True)
class Bound:
    """What a form is made for."""

    purpose: str
    whose: Sequence[object]  # the link and what it asks for: under others its stamp is worth nothing
    seen: Sequence[object] = ()  # what its reader saw, and what may have changed when she sends it

    @property
    def text(self) -> str:
        return f"{_digest(self.whose)}.{_digest(self.seen)}"


class Stamp(CSRF):
    """The stamp as Flask-WTF's form knows it: a hidden field, made anew whenever the form is shown."""

    def setup_form(self, form: Any) -> Any:
        self.bound: Bound = form.meta.csrf_context
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: Field) -> str:
        g.uncompressed = True  # beside what somebody else chose its length would tell it (BREACH)
        return str(current.stamps(self.bound.purpose).stamp(self.bound.text, _seconds()))

    def validate_csrf_token(self, form: Any, field: Field) -> None:
        form.is_current = False
        try:
            stamps, age = current.stamps(self.bound.purpose), int(AGE.total_seconds())
            whose, _, seen = stamps.unstamp(field.data or "", _seconds(), age).partition(".")
        except BadToken:
            raise StopValidation(NOT_OURS) from None
        if whose != _digest(self.bound.whose):
            raise StopValidation(NOT_OURS)
        form.is_current = seen == _digest(self.bound.seen)


class StampedForm(FlaskForm):
    is_current = False  # is everything still as its reader saw it? Known once is_ours() was asked

    class Meta:
        csrf = True
        csrf_class = Stamp
        csrf_field_name = "stamp"
        csrf_context: Any = None

    @classmethod
    def bound(cls, bound: Bound, **options: Any) -> Self:
        return cls(meta={"csrf_context": bound}, **options)

    def is_ours(self) -> bool:
        """Was it made for this link and this purpose, not long ago?"""
        return bool(self["stamp"].validate(self))


def _digest(facts: Sequence[object]) -> str:
    return blake2b(repr(tuple(facts)).encode(), digest_size=12).hexdigest()


def _seconds() -> int:
    return int(current.now().timestamp())
