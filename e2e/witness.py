"""What a browser did while somebody looked at pages: whom it asked, what it was told, what it complained of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

# Chromium says this for every page that is not 200. Journeys look at the status of pages themselves.
STATUS = re.compile(r"Failed to load resource: the server responded with a status of \d{3} ")
PAGES = ("document", "fetch", "xhr")


@dataclass
class Witness:
    """Watches every page of every context of one test. `hosts`: the origins that may be asked for anything."""

    hosts: set[str]
    excused: list[str] = field(default_factory=list)  # parts of complaints that a journey is about
    asked: list[Request] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def search(self, context: BrowserContext) -> None:
        """At the end: is anything left in it that a later visit would bring along?"""
        self.faults += [f"cookie: {cookie}" for cookie in context.cookies()]

    @property
    def writing(self) -> list[str]:
        """The requests that may have changed something."""
        return [f"{one.method} {one.url}" for one in self.asked if one.method not in ("GET", "HEAD", "OPTIONS")]

    @property
    def complaints(self) -> list[str]:
        return [fault for fault in self.faults if not any(part in fault for part in self.excused)]

    def _request(self, request: Request) -> None:
        self.asked.append(request)
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" not in self.hosts:
            self.faults.append(f"foreign host: {request.method} {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type not in PAGES:
            self.faults.append(f"missing: {response.status} {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not STATUS.match(message.text):
            self.faults.append(f"console: {message.text} {message.location}")

    def _error(self, error: WebError) -> None:
        self.faults.append(f"script: {error.error}")
