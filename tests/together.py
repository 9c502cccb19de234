"""What is marked with `xdist_group` runs in one test process, which starts what it needs once and not once in each.

pytest-xdist 3.8 writes the group where pytest 9.2 no longer reads it, and says nothing: each test went anywhere.
"""

from __future__ import annotations

import pytest
from _pytest.nodeid import NodeId


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not getattr(config.option, "loadgroup", False):  # set in the processes of `--dist loadgroup`
        return
    for item in items:
        mark = item.get_closest_marker("xdist_group")
        if mark and not item.nodeid.endswith(tail := f"@{mark.args[0]}"):
            item._id = NodeId.parse(item.nodeid + tail)
            assert item.nodeid.endswith(tail)
