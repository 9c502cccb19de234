"""What gunicorn is given: the application, and what of a body it left unread."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from portal import assets, serve
from portal.config import SettingsError, read_settings
from portal.serve import MOST_UNREAD, read_to_the_end

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Gone(BytesIO):
    def read(self, *_: object) -> bytes:
        raise TimeoutError


def _refusing(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("413 Too Large", [("Content-Length", "2")])
    return [b"no"]


def _left(body: BytesIO) -> int:
    environ = create_environ("/v1/customers", method="POST", input_stream=body)
    environ["CONTENT_LENGTH"] = str(len(body.getvalue()))
    parts, status, _ = run_wsgi_app(read_to_the_end(_refusing), environ)
    assert (b"".join(parts), status) == (b"no", "413 Too Large")
    return len(body.getvalue()) - body.tell()


@pytest.mark.parametrize("size", [0, 1, 300_000, MOST_UNREAD])
def test_a_body_that_was_refused_unread_leaves_the_connection_at_the_next_request(size: int) -> None:
    assert _left(BytesIO(bytes(size))) == 0


def test_no_more_is_taken_than_anybody_sends_by_mistake() -> None:
    assert _left(BytesIO(bytes(MOST_UNREAD + 100_000))) == 100_000


def test_a_checkout_that_was_not_set_up_is_told_so_before_anybody_asks_for_a_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(assets, "folder", lambda _: tmp_path)

    with serve.listen("127.0.0.1", 0) as listener, pytest.raises(SettingsError, match="make setup"):
        serve.serve(read_settings(data_dir=tmp_path), listener, workers=1)


def test_a_client_that_has_gone_changes_no_answer() -> None:
    _left(Gone(b"x" * 300_000))
