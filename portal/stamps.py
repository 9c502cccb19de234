"""A stamp in a form says what the form was made for, and when. It is signed as tokens are, and opens nothing."""

from __future__ import annotations

from itsdangerous import BadSignature

from portal.tokens import BadToken, Canonical


class Stamps:
    """Signs what a form was made for, and when; each purpose has a salt of its own."""

    def __init__(self, secret: str, purpose: str) -> None:
        self._signer = Canonical(secret, salt=f"portal.stamp.v1.{purpose}", sep="~")

    def stamp(self, text: str, at: int) -> str:
        """`text` as it stood at the second `at` since 1970."""
        return self._signer.sign(f"{at}.{text}").decode()

    def unstamp(self, stamped: str, now: int, max_age: int) -> str:
        """The text that was stamped at most `max_age` seconds before `now`. Raises BadToken."""
        try:
            at, _, text = self._signer.unsign(stamped).decode().partition(".")
        except BadSignature:
            raise BadToken("not stamped by us for this purpose") from None
        if not 0 <= now - int(at) <= max_age:
            raise BadToken("stamped too long ago")
        return text
