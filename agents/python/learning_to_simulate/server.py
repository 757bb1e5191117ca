"""Starts the server of this repository, for a program that wants one of its own."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from .errors import ServerError


_PATHS = {
    *("journal", "data", "table", "parameters", "cache", "work"),
    *("token_file", "observer_token_file", "admin_token_file", "queue_file"),
}
"""Flags that name files or folders, which lie in the caller's folder and not in the server's."""


def serve(
    *env: str | os.PathLike[str],
    repository: str | os.PathLike[str] | None = None,
    port: int = 0,
    timeout: float = 120.0,
    log: str | os.PathLike[str] | None = None,
    **flags: Any,
) -> Server:
    """Starts a server, and waits until it is ready. Use it with `with`, or call `stop`.

        with serve("Mixture-v0", workers=2) as server, connect(server.url) as environment: …

    :param env: ids of environments, or the paths of modules
    :param repository: the folder of the repository; None: the variable LEARNING_TO_SIMULATE_REPOSITORY, or where this
        file or the current folder lies in one
    :param port: 0 takes a free one; a server with another port keeps its evaluations in runs/server-<port>.sqlite
    :param timeout: seconds in which it must be ready
    :param log: a file for what it logs
    :param flags: of `npm run serve -- --help`, with underscores: workers=2, journal="run.sqlite", token="…"; one that
        may be repeated takes a list: origin=["https://a.org", "https://b.org"]
    :raises ServerError: in a sentence: without Node, without the repository, or with what the server said
    """
    root = find_repository(repository)
    node = shutil.which("node")
    if node is None:
        raise ServerError("serve: expected Node (nodejs.org) to run the server with, got none")
    if not (root / "node_modules" / "tsx").exists():
        raise ServerError(f"serve: expected what the server needs, got none; run: cd {root} && npm ci")
    if not env:
        raise ServerError('serve: expected at least one environment, such as "Mixture-v0"')
    words = [f"--env={_module(name)}" for name in env]
    words += [f"--port={port}", "--json", "--stop-with-stdin"]
    for name, value in flags.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif value is not None and value is not False:
            each = value if isinstance(value, (list, tuple)) else [value]
            words += [f"{flag}={_from_here(name, one) if name in _PATHS else one}" for one in each]
    return Server([node, "--import", "tsx", "scripts/serve.ts", *words], root, timeout, log)


class Server:
    """A running server: `url` for `connect`, `port`, `pid`."""

    def __init__(
        self, command: list[str], root: Path, timeout: float, log: str | os.PathLike[str] | None
    ) -> None:
        self._log: IO[bytes] = open(log, "ab+") if log else tempfile.TemporaryFile()
        # A session of its own: Ctrl-C is for the program, which then cancels what is under way, and ends the server.
        self._process = subprocess.Popen(
            command,
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )
        try:
            ready = self._first_line(timeout)
        except BaseException:
            self.kill()
            raise
        self.url: str = ready["url"]
        self.port: int = ready["port"]
        self.pid: int = self._process.pid

    def stop(self, timeout: float = 5.0) -> None:
        """Ends it: it is asked to, and after half the time again, which ends running evaluations. Twice is fine."""
        process = self._process
        if process.stdin and not process.stdin.closed:
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass
        for last_word in (process.terminate, process.kill):
            try:
                process.wait(timeout / 2)
                break
            except subprocess.TimeoutExpired:
                last_word()
        process.wait()
        self._let_go()

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        self._process.kill()
        self._process.wait()
        self._let_go()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Server {self.url}>"

    def _first_line(self, timeout: float) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
        try:
            line = lines.get(timeout=timeout)
        except queue.Empty:
            raise ServerError(f"serve: expected the server to be ready within {timeout:g} s") from None
        if not line.strip():
            raise ServerError(f"serve: the server did not start: {self._last_words()}")
        ready: dict[str, Any] = json.loads(line)
        return ready

    def _last_words(self) -> str:
        self._process.wait()
        self._log.seek(0)
        return self._log.read().decode(errors="replace").strip()[-2000:] or f"exit code {self._process.returncode}"

    def _let_go(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass


def find_repository(given: str | os.PathLike[str] | None = None) -> Path:
    """The folder of the repository. :raises ServerError: when there is none"""
    named = given if given is not None else os.environ.get("LEARNING_TO_SIMULATE_REPOSITORY")
    if named is not None:
        root = Path(named).resolve()
        if not (root / "scripts" / "serve.ts").exists():
            raise ServerError(f"serve: expected the repository of Learning to Simulate at {root}, got a folder without scripts/serve.ts")
        return root
    for place in (Path(__file__).resolve(), Path.cwd() / "here"):
        for root in place.parents:
            if (root / "scripts" / "serve.ts").exists() and (root / "protocol" / "messages.ts").exists():
                return root
    told = "name its folder with repository=… or the variable LEARNING_TO_SIMULATE_REPOSITORY"
    raise ServerError(f"serve: expected the repository of Learning to Simulate, which has the server; {told}")


def _from_here(flag: str, path: str | os.PathLike[str]) -> str:
    """The absolute path of one in the caller's folder; of `data` with the name before it."""
    named, equals, folder = os.fspath(path).rpartition("=") if flag == "data" else ("", "", os.fspath(path))
    return f"{named}{equals}{os.path.abspath(folder)}"


def _module(env: str | os.PathLike[str]) -> str:
    """The path of a module from the caller's folder; an id as it is."""
    name = os.fspath(env)
    return os.path.abspath(name) if name.endswith((".ts", ".js", ".mjs")) else name
