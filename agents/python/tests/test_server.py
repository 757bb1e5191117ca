from __future__ import annotations

import importlib
import time
import urllib.error
import urllib.request

import pytest
from conftest import BANDIT, wait_until

import learning_to_simulate as lts


def answers(url):
    try:
        return urllib.request.urlopen(url.replace("ws", "http", 1) + "/healthz", timeout=5).status == 200
    except OSError:
        return False


def test_a_server_ends_with_its_block_also_while_it_evaluates(caplog):
    with lts.serve(BANDIT, workers=1) as server:
        assert answers(server.url)
        environment = lts.connect(server.url, options={"delayMs": 60_000}, reconnect_for=0)
        under_way = environment.submit({})
        time.sleep(0.3)
        began = time.monotonic()
    assert time.monotonic() - began < 15 and not answers(server.url)
    with pytest.raises(lts.ConnectionLost):
        under_way.result(20)
    environment.close()
    server.stop()


def test_a_server_ends_with_its_program_however_that_ends(program):
    text = f"""
import time, learning_to_simulate as lts
print(lts.serve({str(BANDIT)!r}, workers=1).url, flush=True)
time.sleep(100)
"""
    starter = program(text)
    url = starter.stdout.readline().strip()
    assert answers(url)
    starter.kill()
    starter.communicate()
    wait_until(lambda: not answers(url))


def test_a_token_is_shown_and_a_wrong_one_is_told():
    with lts.serve(BANDIT, workers=1, token="secret") as server:
        for token in (None, "wrong"):
            with pytest.raises(lts.ProtocolError, match="UNAUTHENTICATED.*expected the token of this server"):
                lts.connect(server.url, "Bandit-v0", token=token)
        with lts.connect(server.url, token="secret") as environment:
            assert environment.evaluate({}).ok and len(environment.history()) == 1


def test_paths_are_the_callers_and_a_list_repeats_a_flag(tmp_path, monkeypatch):
    (tmp_path / "x.csv").write_text("fog,iou\n0.5,0.25\n")
    (tmp_path / "x.json").write_text(
        '{"parameters": [{"name": "fog", "low": 0, "high": 1, "default": 0.5}], "metrics": [{"name": "iou"}]}'
    )
    (tmp_path / "token").write_text("secret\n")
    monkeypatch.chdir(tmp_path)
    origins = ["https://a.example", "https://b.example"]
    with lts.serve("Table-v0", table="x.csv", token_file="token", workers=1, origin=origins) as server:
        with lts.connect(server.url, options={"lookup": "nearest"}, token="secret") as environment:
            assert environment.evaluate({"fog": 0.5}).reward == 0.25
    from_here = importlib.import_module("learning_to_simulate.server")._from_here
    assert from_here("data", "camvid=here") == f"camvid={tmp_path / 'here'}"
    assert from_here("data", "here") == str(tmp_path / "here")


def test_serve_says_what_is_missing(tmp_path, monkeypatch):
    with pytest.raises(lts.ServerError, match="expected the repository"):
        lts.serve("Mixture-v0", repository=tmp_path)
    with pytest.raises(lts.ServerError, match="did not start: .*Nothing-v0"):
        lts.serve("Nothing-v0")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(lts.ServerError, match="expected Node"):
        lts.serve("Mixture-v0")
