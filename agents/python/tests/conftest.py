"""Servers for the tests: a shared one, one that can be killed and started again, and a network that fails."""

from __future__ import annotations

import os

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # small matrices: more threads only wait for each other
    os.environ.setdefault(threads, "1")

import contextlib
import json
import math
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import learning_to_simulate as lts

ROOT = lts.server.find_repository()
BANDIT = ROOT / "test" / "environments" / "bandit.ts"
DICE = ROOT / "env" / "examples" / "dice.ts"
"""θ has a parameter of every kind."""
OPTIMUM = {"x": 0.7, "y": 0.01, "weather": [0.6, 0.2, 0.1, 0.1]}

if shutil.which("node") is None:
    pytest.exit("the tests of the Python package need Node", 1)


@pytest.fixture(scope="session")
def server() -> Iterator[lts.Server]:
    with lts.serve("Mixture-v0", BANDIT, DICE, workers=2) as server:
        yield server


@pytest.fixture
def bandit(server: lts.Server) -> Iterator[lts.Environment]:
    with lts.connect(server.url, "Bandit-v0", seed=7) as environment:
        yield environment


@pytest.fixture
def dice(server: lts.Server) -> Iterator[lts.Environment]:
    with lts.connect(server.url, "Dice-v0", seed=7) as environment:
        yield environment


def wait_until(what: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < end, f"not true within {seconds} s: {what}"
        time.sleep(0.02)
    return value


def sessions_of(server: lts.Server) -> set[str]:
    """The ids of the server's sessions."""
    with urllib.request.urlopen(server.url.replace("ws", "http", 1) + "/v1/sessions") as answer:
        return {session["session_id"] for session in json.load(answer)["sessions"]}


def gain(theta: dict[str, Any]) -> float:
    """The bandit's reward without noise."""
    y = math.log10(theta["y"]) - math.log10(OPTIMUM["y"])
    weather = sum((p - q) ** 2 for p, q in zip(theta["weather"], OPTIMUM["weather"]))
    return 1 - ((theta["x"] - OPTIMUM["x"]) ** 2 / 2 + y**2 / 18 + weather)


class FragileServer:
    """A server with a short heartbeat and a journal, on a port that stays the same when it is killed."""

    def __init__(self, folder: Path, **more: Any) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"
        options = {"port": self.port, "heartbeatMs": 500, "workers": 2, "journal": str(folder / "journal.sqlite"), **more}
        self.command = ["node", "--import", "tsx", "test/agents/python-server.ts", json.dumps(options)]
        self.start()

    def start(self) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(self.command, cwd=ROOT, **pipes)
        assert self.process.stdout and b"url" in self.process.stdout.readline()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def restart(self) -> None:
        self.kill()
        self.start()


@pytest.fixture(scope="session")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FragileServer]:
    server = FragileServer(tmp_path_factory.mktemp("journal"))
    yield server
    server.kill()


class Network:
    """A TCP proxy whose connections can be cut."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.pairs: list[socket.socket] = []
        self.connections = 0
        self.swallows = False
        """What the client sends is lost, as when a network ends between two machines."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self.listener.accept()
                try:
                    there = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    here.close()
                    continue
                self.connections += 1
                self.pairs += [here, there]
                for way in ((here, there, True), (there, here, False)):
                    threading.Thread(target=self._carry, args=way, daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, from_client: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not (from_client and self.swallows):
                    sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        pairs, self.pairs = self.pairs, []
        for end in pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # ends the accept in the other thread
        self.listener.close()
        self.cut()


@pytest.fixture
def network() -> Iterator[Callable[[int], Network]]:
    made: list[Network] = []

    def make(port: int) -> Network:
        made.append(Network(port))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a program of Python; its output is text."""

    def start(text: str, *args: str) -> subprocess.Popen[str]:
        path = tmp_path / f"program-{len(os.listdir(tmp_path))}.py"
        path.write_text(text)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, "-B", str(path), *args], **pipes)

    return start
