"""What README.md shows is run, and every public name is in it."""

from __future__ import annotations

import re
import sys
import types

import pytest
from conftest import ROOT

import learning_to_simulate as lts

README = (ROOT / "agents" / "python" / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_every_public_name_is_described():
    missing = [name for name in lts.__all__ if not re.search(rf"\b{name}\b", README)]
    assert missing == []


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_its_code_runs(block, server, monkeypatch, tmp_path, capsys):
    for library in ("cma", "skopt"):
        if f"import {library}\n" in block:
            pytest.importorskip(library, reason=f"{library} is not here")
    if "matplotlib" in block:
        picture = types.SimpleNamespace(plot=lambda *_: None, savefig=lambda *_: None)
        monkeypatch.setitem(sys.modules, "matplotlib", types.ModuleType("matplotlib"))
        monkeypatch.setitem(sys.modules, "matplotlib.pyplot", picture)
    for there, here in (
        ("ws://127.0.0.1:7077", server.url),
        ("TrafficCounting-v0", "Mixture-v0"),
        ('{"preset": "quick"}', '{"pointsPerComponent": 5}'),
        ('{"weather": [0.7, 0.1, 0.1, 0.1]}', "{}"),
        ('"maxiter": 25', '"maxiter": 2'),
    ):
        block = block.replace(there, here)
    names = {"__name__": "__main__"}
    exec(block, names)
    if "environment" in names:
        names["environment"].close()
