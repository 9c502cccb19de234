"""A machine that reads the API's document and asks for all that it allows, and for much that it does not.

The real server in processes of its own, and schemathesis in others: one of its own threads gets in another's way.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from portal.config import Settings
from tests import api_world, programs, servers

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "negative_data_rejection", "ignored_auth", "missing_required_header",
    "ensure_resource_availability", "use_after_free",
)  # fmt: skip
CONFIG = """
[checks]
negative_data_rejection.expected-statuses = [400, 401, 404, 409, 413]
"""
RING = "k1:QmVob2xkIHRoZSBvbmUgdGVzdCBrZXkgb2Yga2V5cyE=:active"
SECRET = "a secret that only the tests know 0123456789"


@dataclass
class Served:
    """A furnished portal, and the key to it."""

    address: str
    key: str
    ids: dict[str, list[str]]
    folder: Path
    log: Path

    def start(self, name: str, *options: str) -> Machine:
        """A machine that asks on its own; `options` of `schemathesis run`."""
        config, report = self.folder / "schemathesis.toml", self.folder / f"{name}.json"
        config.write_text(CONFIG)
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{self.address}/v1/openapi.json", "--header", f"Authorization: Bearer {self.key}"),
            *("--checks", ",".join(CHECKS), "--workers", "1", "--no-shrink", "--suppress-health-check", "all"),
            *("--report", "json", "--report-json-path", str(report), *options),
        ]
        told = {"PORTAL_TEST_IDS": json.dumps(self.ids), "SCHEMATHESIS_HOOKS": "tests.api_hooks"}
        output = (self.folder / f"{name}.txt").open("w+")
        paths = {"PYTHONPATH": str(programs.HOUSE)}
        started = subprocess.Popen(
            command, env={**os.environ, **told, **paths}, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT
        )
        return Machine(started, report, self.folder / f"{name}.txt")


@dataclass
class Machine:
    process: subprocess.Popen[bytes]
    report: Path
    output: Path

    def requests(self) -> int:
        """How many it made, once it is done."""
        self.process.wait()
        return int(json.loads(self.report.read_text())["test_cases"]["generated"])

    def found(self) -> str:
        """What it found against the document; nothing, where all was well."""
        said = self.output.read_text()
        return said[said.find("\n=") :][:20_000] if self.process.wait() else ""


@contextmanager
def served(kind: str, folder: Path) -> Iterator[Served]:
    """The real server on a database of its own."""
    settings = Settings(data_dir=folder, database_url=servers.new_database(kind))
    env = programs.environment(
        data_dir=str(folder), database_url=settings.database_url, link_keys=RING, secret_key=SECRET, api_rate="0",
        log_level="error",
    )  # fmt: skip
    for command in (["migrate"], ["account", "create", "Acme"]):
        done = programs.run(*command, env=env)
        assert done.returncode == 0, done.stderr
    key = programs.run("api-key", "create", env=env).stdout.strip()
    port, log = programs.free_port(), folder / "server.log"
    with programs.running("serve", "--port", str(port), "--workers", "2", env=env, log=log):
        assert programs.wait_until(lambda: programs.answers(port)), log.read_text()
        address = f"http://127.0.0.1:{port}"
        yield Served(address, key, api_world.furnish(address, key, datetime.now(UTC)), folder, log)
