"""The examples, in this process, so that their libraries are imported once."""

from __future__ import annotations

import re
import runpy
import sys

import pytest
from conftest import ROOT

import learning_to_simulate as lts

EXAMPLES = ROOT / "agents" / "python" / "examples"
RUNS = {
    "ax_runner": ("ax", 6, r"\[6/6\] best 0\.\d+\non fresh seeds 0\.\d+: \{"),
    "nevergrad_search": ("nevergrad", 8, r"on fresh seeds 0\.\d+: \{"),
    "optuna_cma_es": ("cmaes", 16, r"\[16/16\] best 0\.\d+\non fresh seeds 0\.\d+: \{"),
    "optuna_tpe": ("optuna", 8, r"on fresh seeds 0\.\d+: \{"),
    "pycma_batches": ("cma", 16, r"\[16/16\] best 0\.\d+\non fresh seeds 0\.\d+: \{"),
    "scikit_optimize": ("skopt", 10, r"\[10/10\] best 0\.\d+\non fresh seeds 0\.\d+: \{"),
    "stable_baselines3_ppo": ("stable_baselines3", 64, r"\[64/64\] mean reward .*\non fresh seeds 0\.\d+: \{"),
}


def test_every_example_is_tested_and_fits_a_page():
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == sorted(RUNS)
    for path in EXAMPLES.glob("*.py"):
        lines = path.read_text().splitlines()
        own = [line for line in lines if line.strip() and not re.match(r"(import|from|parser|#|\"\"\")", line.strip())]
        assert len(own) < 40, f"{path.name} has {len(own)} lines of its own"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RUNS)
def test_the_example(name, server, capsys, monkeypatch):
    needs, evaluations, expected = RUNS[name]
    pytest.importorskip(needs, reason=f"{needs} is not here")

    def run(*words):
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *words])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    with pytest.raises(SystemExit) as ended:
        run("--help")
    assert ended.value.code == 0 and "--evaluations" in capsys.readouterr().out

    def made():
        return len(lts.fetch_history(server.url, env_id="Bandit-v0", limit=100_000))

    before = made()
    assert re.search(expected, run("--url", server.url, "--env", "Bandit-v0", "--evaluations", str(evaluations)))
    again = 3 * 4 + (16 if name == "stable_baselines3_ppo" else 0)  # finalists, and PPO's mean
    assert evaluations < made() - before <= evaluations + again
