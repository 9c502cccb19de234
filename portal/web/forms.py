"""What visitors ask for by GET: checked like any form, without a stamp, because it changes nothing."""

from __future__ import annotations

from typing import Any, Self

from flask import request
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import ValidationError


class Question(FlaskForm):
    """The query of this request. What is left out has its default; what nobody asked for is ignored."""

    class Meta:
        csrf = False  # a GET; the portals have no cookie that it could ride on

    @classmethod
    def asked(cls, **choices: dict[str, str]) -> Self:
        """The form as this request fills it in, with the `choices` (value to label) that only the page knows."""
        form = cls(formdata=request.args)
        for name, labels in choices.items():
            form[name].offer(labels)
        return form

    def sentence(self) -> str:
        """What is wrong with it, for a person; nothing where all is well."""
        self.validate()
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


class Choice(StringField):
    """One of a list; says which list where it is none of them."""

    def __init__(self, label: str, labels: dict[str, str] | None = None, default: str = "", **options: Any) -> None:
        super().__init__(label, default=default, **options)
        self.labels = labels or {}  # value to label, as people choose

    def offer(self, labels: dict[str, str]) -> None:
        """Offers `labels`; the first is chosen where nothing was asked for."""
        self.labels = labels
        if not self.raw_data:
            self.data = next(iter(labels), "")

    def pre_validate(self, _: Any) -> None:
        if self.data not in self.labels:
            self.data = next(iter(self.labels), "")
            raise ValidationError(f"{self.label.text}: choose one of {', '.join(self.labels.values())}.")
