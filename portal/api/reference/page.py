"""Where the reference is read: the document for programs, and pages of it for people. It says nothing about anybody."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, render_template

from portal import current

routes = Blueprint("reference", __name__)
pages = Blueprint("docs", __name__, url_prefix="/docs/api")


@routes.get("/openapi.json")
def openapi() -> dict[str, Any]:
    return _document()


@pages.get("")
def contents() -> str:
    """Every call by resource, and what holds for all of them."""
    return render_template("reference/contents.html", read=_reading(), here="")


@pages.get("/shapes")
def shapes() -> str:
    """Every object that bodies and answers are made of, field by field."""
    return render_template("reference/shapes.html", read=_reading(), here="shapes")


@pages.get("/<section>")
def resource(section: str) -> str:
    """The calls of one resource."""
    read = _reading()
    found = next((one for one in read.sections if one["slug"] == section), None)
    if found is None:
        abort(404)
    return render_template("reference/resource.html", read=read, section=found, here=section)


def _document() -> dict[str, Any]:
    """Made when it is first asked for, and kept: neither routes nor the base address change while we run."""
    kept: dict[str, Any] = current_app.extensions.setdefault("reference", {})
    if "document" not in kept:
        from portal.api.reference.document import document

        kept["document"] = document(current_app, current.settings().base_url)
    found: dict[str, Any] = kept["document"]
    return found


def _reading() -> Any:
    from portal.api.reference.reading import Reading

    return Reading(_document())
