"""Trials that exist go from an agent's run or a server's history into a search of Python, and into Optuna."""

from __future__ import annotations

import csv
import gzip
import json
import runpy
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, gain

import learning_to_simulate as lts

OPTIONS = {"noise": 0.02, "fault": "diverge", "faultAbove": 0.9}


def node(*words):
    command = ["node", "--import", "tsx", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def run(server, tmp_path_factory):
    """The log of a run of random search, of which some evaluations diverge."""
    log = tmp_path_factory.mktemp("run") / "random.jsonl"
    flags = ["--url", server.url, "--env", "Bandit-v0", "--env-options", json.dumps(OPTIONS), "--start", '{"x":0.3}']
    ended = node("agents/random-search.ts", *flags, "--evaluations", 40, "--seed", 3, "--report-seeds", 1, "--log", log)
    assert ended.returncode == 0, ended.stderr
    return log


@pytest.fixture
def environment(server):
    with lts.connect(server.url, "Bandit-v0", OPTIONS, seed=7) as environment:
        yield environment


def searched(log):
    lines = map(json.loads, log.read_text().splitlines())
    trials = [line for line in lines if line.get("key", "").startswith("search/")]
    return sorted(trials, key=lambda line: int(line["key"][7:]))


def loaded(journal):
    optuna = pytest.importorskip("optuna", reason="Optuna is not here")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(journal)))
    return optuna, storage, optuna.load_study(study_name=None, storage=storage)


def test_optuna_loads_the_journal_of_a_run_and_goes_on_from_it(run, environment, tmp_path):
    journal = tmp_path / "run.journal"
    ended = node("agents/history.ts", "export", "--log", run, "--format", "optuna-journal", journal)
    optuna, storage, study = loaded(journal)
    trials = searched(run)
    failed = sum(trial["outcome"] != "ok" for trial in trials)
    assert 0 < failed < 20
    told = f'{journal}: study "Bandit-v0 {environment.spec.spec_hash}" of 40 trials, {failed} failed, 0 pruned\n'
    assert (ended.returncode, ended.stdout) == (0, told)
    assert study.study_name == f"Bandit-v0 {environment.spec.spec_hash}"
    assert study.directions == [optuna.study.StudyDirection.MAXIMIZE] and study.metric_names == ["gain"]
    options = dict(environment.spec.options)
    assert study.user_attrs == {"env_id": "Bandit-v0", "options": options, "spec_hash": environment.spec.spec_hash}

    space = lts.optuna_distributions(environment.parameters)
    for trial, line in zip(study.trials, trials, strict=True):
        ok = line["outcome"] == "ok"
        assert trial.state == (optuna.trial.TrialState.COMPLETE if ok else optuna.trial.TrialState.FAIL)
        assert trial.value == (line["reward"] if ok else None)
        assert trial.distributions == space
        values = lts.to_values(environment.parameters, line["theta"])
        assert trial.params == pytest.approx(values, abs=1e-15)
        assert (trial.params["x"], trial.params["y"]) == (line["theta"]["x"], line["theta"]["y"])
        theta = lts.from_values(environment.parameters, trial.params)
        assert theta["weather"] == pytest.approx(line["theta"]["weather"], abs=1e-12)
        attributes = trial.user_attrs
        assert (attributes["key"], attributes["outcome"]) == (line["key"], line["outcome"])
        assert attributes.get("score.gain") == (line["reward"] if ok else None)
        assert attributes["theta"] == line["theta"] and attributes["seeds"] == line["seeds"]
        trial._validate()
    assert study.best_value == max(line["reward"] for line in trials if line["reward"] is not None)

    study.sampler = optuna.samplers.TPESampler(seed=1, n_startup_trials=10)
    for number in range(40, 46):
        asked = study.ask(space)
        assert asked.number == number
        study.tell(asked, environment.evaluate(lts.from_values(environment.parameters, asked.params)).reward)
    # What it asked is led by the 40: random points have a mean gain of .6.
    assert np.mean([gain(lts.from_values(environment.parameters, t.params)) for t in study.trials[40:]]) > 0.75
    again = optuna.load_study(study_name=study.study_name, storage=loaded(journal)[1])
    assert len(again.trials) == 46
    refused = node("agents/history.ts", "export", "--log", run, "--format", "optuna-journal", journal)
    assert refused.returncode == 1 and "expected no file yet, got one; Optuna may have gone on in it" in refused.stderr
    assert len(again.trials) == 46


def test_optuna_loads_the_journal_of_a_session(server, environment, tmp_path):
    results = environment.evaluate(np.random.default_rng(1).uniform(-1, 1, (24, 6)), on_progress=lambda _: None)
    journal = tmp_path / "session.journal"
    session = environment.history(limit=1)[0]["session_id"]
    flags = ["--url", server.url, "--session", session, "--format", "optuna-journal", journal]
    ended = node("agents/history.ts", "export", *flags)
    assert ended.returncode == 0, ended.stderr
    optuna, _, study = loaded(journal)
    by_id = {result.step_id: result for result in results}
    assert len(study.trials) == len(by_id) == 24 and any(not result.ok for result in results)
    for trial in study.trials:
        result = by_id[trial.user_attrs["step_id"]]
        assert trial.value == result.reward and (trial.value is None) == (trial.state == optuna.trial.TrialState.FAIL)
        assert trial.params == pytest.approx(lts.to_values(environment.parameters, result.theta), abs=1e-15)
        assert trial.datetime_start <= trial.datetime_complete
        trial._validate()
    started = [trial.datetime_start for trial in study.trials]
    assert started == sorted(started)
    study.ask(lts.optuna_distributions(environment.parameters))


def test_integers_booleans_and_choices_come_through(dice, server, tmp_path):
    results = dice.evaluate(np.random.default_rng(1).uniform(-1, 1, (12, dice.parameters.size)))
    session = dice.history(limit=1)[0]["session_id"]
    journal, lines, table = (tmp_path / name for name in ("dice.journal", "dice.jsonl", "dice.csv"))
    for file, form in ((journal, "optuna-journal"), (lines, "jsonl"), (table, "csv")):
        ended = node("agents/history.ts", "export", "--url", server.url, "--session", session, "--format", form, file)
        assert ended.returncode == 0, ended.stderr
    past = lts.past_trials(lines, dice.parameters)
    for (action, reward), result in zip(past, results, strict=True):
        theta = dice.to_theta(action)
        assert reward == result.reward and theta["luck"] == pytest.approx(result.theta["luck"])
        assert {**theta, "bonus": 0, "luck": 0} == {**result.theta, "bonus": 0, "luck": 0}
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [(row["theta.dice"], row["theta.die"], row["theta.bestOfTwo"]) for row in rows] == [
        (str(r.theta["dice"]), r.theta["die"], str(r.theta["bestOfTwo"]).lower()) for r in results
    ]
    _, _, study = loaded(journal)
    space = lts.optuna_distributions(dice.parameters)
    for trial, result in zip(study.trials, results, strict=True):
        assert trial.distributions == space and trial.value == result.reward
        values = lts.to_values(dice.parameters, result.theta)
        assert {type(trial.params[name]) for name in ("dice", "die", "bestOfTwo")} == {int, str, bool}
        assert {n: v for n, v in trial.params.items() if "luck" not in n} == {n: v for n, v in values.items() if "luck" not in n}
        assert [trial.params[n] for n in values if "luck" in n] == pytest.approx([v for n, v in values.items() if "luck" in n])
        trial._validate()
    asked = study.ask(space)
    assert dice.evaluate(lts.from_values(dice.parameters, asked.params)).ok


def test_trials_of_a_run_are_told_to_a_search(run, environment, tmp_path):
    trials = searched(run)
    past = lts.past_trials(run, environment.parameters)
    assert [(list(action), reward) for action, reward in past] == [(t["action"], t["reward"]) for t in trials]
    compressed = tmp_path / "run.jsonl.gz"
    compressed.write_bytes(gzip.compress(run.read_bytes() + b'{"type":"evaluation","key":"sear'))
    assert [p.reward for p in lts.past_trials(str(compressed), environment.parameters)] == [t["reward"] for t in trials]
    exported = tmp_path / "run.exported.jsonl"
    assert node("agents/history.ts", "export", "--log", run, exported).returncode == 0
    assert len(exported.read_text().splitlines()) > 40
    for trial, other in zip(past, lts.past_trials(exported, environment.parameters), strict=True):
        assert list(trial.action) == list(other.action) and trial.reward == other.reward


def test_trials_of_a_session_are_told_to_a_search(environment, server, tmp_path):
    results = environment.evaluate([{"x": x} for x in (0.2, 0.95, 0.7)])
    for source in (environment.history(), tmp_path / "history.jsonl"):
        if source == tmp_path / "history.jsonl":
            session = environment.history(limit=1)[0]["session_id"]
            assert node("agents/history.ts", "export", "--url", server.url, "--session", session, source).returncode == 0
        past = lts.past_trials(source, environment.parameters)
        assert [reward for _, reward in past] == [result.reward for result in results]
        assert [environment.to_theta(action)["x"] for action, _ in past] == pytest.approx([0.2, 0.95, 0.7])


def test_an_agent_starts_from_a_session_of_python(environment, server, tmp_path):
    """The other way: what Python has evaluated, one of our agents is told."""
    environment.evaluate(np.random.default_rng(2).uniform(-1, 0.7, (30, 6)))
    history, log = tmp_path / "history.jsonl", tmp_path / "warm.jsonl"
    session = environment.history(limit=1)[0]["session_id"]
    assert node("agents/history.ts", "export", "--url", server.url, "--session", session, history).returncode == 0
    flags = ["--url", server.url, "--env", "Bandit-v0", "--env-options", json.dumps(OPTIONS), "--start", '{"x":0.3}']
    ended = node("agents/cem.ts", *flags, "--evaluations", 16, "--report-seeds", 1, "--warm-start", history, "--log", log)
    assert ended.returncode == 0, ended.stderr
    assert f"warm start: 30 trials of {history}, best " in ended.stdout
    past = lts.past_trials(log, environment.parameters)
    assert len(past) == 30 + 16
    before = lts.past_trials(history, environment.parameters)
    assert [p.reward for p in past[:30]] == [p.reward for p in before]


@pytest.mark.filterwarnings("ignore")
def test_an_example_starts_from_a_run(run, server, capsys, monkeypatch):
    pytest.importorskip("skopt", reason="scikit-optimize is not here")
    flags = ["--url", server.url, "--env", "Bandit-v0", "--evaluations", "1", "--warm-start", str(run)]
    monkeypatch.setattr(sys, "argv", ["scikit_optimize.py", *flags])
    runpy.run_path(str(ROOT / "agents" / "python" / "examples" / "scikit_optimize.py"), run_name="__main__")
    best = max(trial["reward"] for trial in searched(run) if trial["reward"] is not None)
    assert f"[1/1] best {best:.4f}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[1].update(theta={**lines[1]["theta"], "x": 0.123}), r"x: expected 0\.\d+, which its action"),
        (lambda lines: lines[1].update(theta={"x": 0.3}), "θ: expected y, got x"),
        (lambda lines: lines[1].update(action=[0, 0]), "action: expected 6 numbers, got 2"),
        (lambda lines: lines[1].update(action=[], theta={}), "expected an action or θ, got neither"),
        (lambda lines: lines[0]["environment"]["parameters"].pop(), "expected the parameters x, y, weather, got x, y$"),
        (lambda lines: lines[0]["environment"]["parameters"][0].update(high=3), r"x.high: expected 1.0, got 3.0"),
        (lambda lines: lines[0].update(type="other"), "expected a trial of these parameters: no 'reward'"),
    ],
)
def test_trials_of_other_parameters_are_refused(run, environment, tmp_path, change, message):
    lines = [json.loads(line) for line in run.read_text().splitlines()]
    change(lines)
    path = tmp_path / "changed.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(ValueError, match=message):
        lts.past_trials(path, environment.parameters)


def test_a_file_that_is_no_log_is_refused(environment, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("[1]\n")
    with pytest.raises(ValueError, match=r"notes.txt, line 1: expected one JSON object, got \[1\]"):
        lts.past_trials(path, environment.parameters)
    assert lts.past_trials([], environment.parameters) == []
