"""How often somebody may ask. Counted for each process, or in Redis for all of them."""

from __future__ import annotations

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

BAD_TOKENS = RateLimitItemPerMinute(60)  # an address that tries links which do not exist


def per_key(per_second: int, burst: int) -> RateLimitItem | None:
    """`per_second` in the long run and `burst` at once; None where there is no limit."""
    return RateLimitItemPerSecond(burst, burst // per_second) if per_second else None


class Rates:
    def __init__(self, redis_url: str | None) -> None:
        self._limiter = MovingWindowRateLimiter(storage_from_string(redis_url or "memory://"))

    def hit(self, limit: RateLimitItem, who: str) -> int:
        """Counts one request of `who`: 0 if it is within the limit, else the seconds after which one is for certain."""
        return 0 if self._limiter.hit(limit, who) else limit.get_expiry()

    def spent(self, limit: RateLimitItem, who: str) -> int:
        """The same without counting."""
        return 0 if self._limiter.test(limit, who) else limit.get_expiry()
