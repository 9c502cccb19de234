"""`python -m benchmarks [name …]`: all of them, or those that are named."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from tests import servers

everything = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
unknown = set(sys.argv[1:]) - set(everything)
if unknown:
    raise SystemExit(f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(everything)}.")
servers.open_folder()
try:
    for name in sys.argv[1:] or everything:
        import_module(f"benchmarks.{name}").main()
finally:
    servers.close_folder()
