"""What is written down about a request: its route, never its path, because the path of a portal page is a key."""

from __future__ import annotations

import logging
import sys
import time

import structlog


def configure(level: str) -> None:
    """JSON lines on stderr, one an event."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
            ),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def log() -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def request(method: str, route: str, status: int, began: float | None, by: str | None) -> None:
    """One request, in one line. `began`: what perf_counter said then."""
    took = None if began is None else round((time.perf_counter() - began) * 1000, 1)
    log().info("request", method=method, route=route, status=status, ms=took, by=by)
