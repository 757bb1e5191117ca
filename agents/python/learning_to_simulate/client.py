"""An environment on a server: evaluate θ or actions, one or many, from any thread or from asyncio."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import logging
import os
import queue
import secrets
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal, NoReturn, TypeAlias, cast, overload

import numpy as np
import numpy.typing as npt

from .arguments import deadline_seconds, refuse_misnamed, seed_number
from .background import background_loop, in_background
from .codec import Codec
from .connection import refusal
from .errors import ClosedError, ConnectionLost, ForkError, ParameterError, ProtocolError
from .evaluation import Evaluation, Point, Seed, collected, one_point, points_of, seeds_of, step_ids_of
from .history import HistoryFrame, HistoryList, fetch_history
from .parameters import Numbers, Parameters, Theta
from .pictures import Strip, fetch_pictures
from .results import Progress, Result
from .opening import Opening, opening_of
from .seeds import derive_seed
from .session import Session
from .specification import Specification
from .steps import Step

Report: TypeAlias = Callable[[Progress], object]

_OF_SUBMIT = {"seed": "seeds (one for all, or a list with one for each)", "step_id": "step_ids"}
_OF_EVALUATE = {
    "seeds": "seed (one point, one seed)",
    "step_ids": "step_id",
    "on_progress": "no progress (evaluate and evaluate_async tell it)",
}

_CLOSE_SECONDS = 10
_log = logging.getLogger("learning_to_simulate")
_open_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def connect(
    url: str = "ws://127.0.0.1:7077",
    env_id: str | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    token: str | None = None,
    seed: int | None = None,
    session_file: str | os.PathLike[str] | None = None,
    reconnect_for: float = 60.0,
    codec: Codec = "msgpack",
    name: str = "learning_to_simulate",
) -> Environment:
    """Opens an environment on a server.

    :param url: `ws://…` or `wss://…`
    :param env_id: such as `TrafficCounting-v0`; None: the only one that the server has
    :param options: of the environment; those that are left out have their defaults
    :param token: the server's; None: the variable LTS_TOKEN, if it is set
    :param seed: of the stream that gives evaluations their seeds; None: the server draws one
    :param session_file: keeps the session's token, so that a later process goes on with the session after this one was
        killed: evaluations under their old `step_ids` are not made again. For the owner's eyes only
    :param reconnect_for: seconds for which a lost connection is tried again, and a request that is refused for now
    :param name: of the program, for the server's log
    :raises ConnectionLost: when no server answers
    :raises ProtocolError: when the server refuses (ENV_NOT_FOUND, BAD_OPTIONS, UNAUTHENTICATED …)
    """
    opening = opening_of(url, env_id, options, token, seed, session_file, reconnect_for, codec, name)
    return Environment(_started(opening))


async def connect_async(
    url: str = "ws://127.0.0.1:7077",
    env_id: str | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    token: str | None = None,
    seed: int | None = None,
    session_file: str | os.PathLike[str] | None = None,
    reconnect_for: float = 60.0,
    codec: Codec = "msgpack",
    name: str = "learning_to_simulate",
) -> Environment:
    """`connect`, for asyncio."""
    opening = opening_of(url, env_id, options, token, seed, session_file, reconnect_for, codec, name)
    session = Session(opening)
    starting = asyncio.run_coroutine_threadsafe(session.start(), background_loop())
    await asyncio.wrap_future(starting)
    return Environment(session)


class Environment:
    """An open environment. Make it with `connect`; any number of threads may use it at once.

    Its socket lives in a thread of its own, so that the caller may compute for minutes. A lost connection is restored,
    and a server that was killed and started again on its journal goes on: no evaluation is lost, none is made twice.
    A forked process cannot use it, and is told so; a pickled one opens an environment of its own.
    """

    spec: Specification
    parameters: Parameters
    """The parameters of θ: names, bounds, meanings, and the map between θ and actions."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pid = os.getpid()
        self._loop = background_loop()
        self._prefix = secrets.token_urlsafe(9)
        self._lock = threading.Lock()
        self._count = 0
        self.spec = session.spec
        self.parameters = self.spec.parameters
        _open_sessions.add(session)
        self._forgotten = weakref.finalize(self, _forget, session, self._loop, self._pid)
        self._forgotten.atexit = False

    # --- evaluating --------------------------------------------------------------------------------------------------

    @overload
    def evaluate(
        self,
        points: Mapping[str, Any] | Sequence[float],
        *,
        seeds: Seed | None = None,
        test: bool = False,
        deadline: float | None = None,
        on_progress: Report | None = None,
        step_ids: str | None = None,
    ) -> Result: ...
    @overload
    def evaluate(
        self,
        points: Sequence[Mapping[str, Any]] | Sequence[Sequence[float]] | Sequence[npt.NDArray[Any]],
        *,
        seeds: Seed | Sequence[Seed] | None = None,
        test: bool = False,
        deadline: float | None = None,
        on_progress: Report | None = None,
        step_ids: Sequence[str] | None = None,
    ) -> list[Result]: ...
    @overload
    def evaluate(
        self,
        points: npt.NDArray[Any],
        *,
        seeds: Seed | Sequence[Seed] | None = None,
        test: bool = False,
        deadline: float | None = None,
        on_progress: Report | None = None,
        step_ids: str | Sequence[str] | None = None,
    ) -> Any: ...
    def evaluate(
        self,
        points: Any,
        *,
        seeds: Any = None,
        test: bool = False,
        deadline: float | None = None,
        on_progress: Report | None = None,
        step_ids: Any = None,
        **misnamed: NoReturn,
    ) -> Any:
        """Evaluates one θ or action, or many at once, and waits for all results.

        :param points: θ by name, or an action [D]: one result. A list of them, or an array [n, D]: a list of results, in
            the order given, whatever order they end in
        :param seeds: one seed for all (common random numbers), or a list with a seed for each; None: the session's stream
            gives each a seed of its own
        :param test: also scores on the test set, which counts in `test_evaluations`
        :param deadline: in seconds from the server's acceptance, the time in the queue included
        :param on_progress: called in this thread. If it raises an exception, what is under way is cancelled on the
            server, and the exception is raised here: that is how a trial is pruned
        :param step_ids: names of the evaluations, for a session that a later process takes up (`session_file`)
        :returns: with another outcome than `ok` where an evaluation failed or was refused; that is no exception
        :raises TypeError, ValueError: naming the argument that cannot be so, before anything is sent
        :raises ConnectionLost: when the connection could not be restored; its `results` has what had arrived
        """
        refuse_misnamed("evaluate", misnamed, _OF_SUBMIT)
        return self._wait(*self._begin_all(points, seeds, test, deadline, step_ids), on_progress)

    async def evaluate_async(
        self,
        points: Any,
        *,
        seeds: Any = None,
        test: bool = False,
        deadline: float | None = None,
        on_progress: Report | None = None,
        step_ids: Any = None,
        **misnamed: NoReturn,
    ) -> Any:
        """`evaluate` for asyncio. When its task is cancelled, so are its evaluations, on the server."""
        refuse_misnamed("evaluate_async", misnamed, _OF_SUBMIT)
        many, steps = self._begin_all(points, seeds, test, deadline, step_ids)
        loop = asyncio.get_running_loop()
        broken: asyncio.Future[None] = loop.create_future()

        def report(progress: Progress) -> None:
            try:
                if on_progress and not broken.done():
                    on_progress(progress)
            except BaseException as error:
                broken.set_exception(error)

        if on_progress:
            for step in steps:
                step.report = lambda progress: _call_soon(loop, report, progress)
        self._send(steps)
        arrived = asyncio.gather(*(asyncio.wrap_future(step.future) for step in steps), return_exceptions=True)
        try:
            both: set[asyncio.Future[Any]] = {arrived, broken}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if broken.done():
                await broken
            results = collected(await arrived)
            return results if many else results[0]
        finally:
            arrived.cancel()
            broken.cancel()
            self._cancel([step.id for step in steps if not step.future.done()])

    def submit(
        self,
        point: Point,
        *,
        seed: Seed | None = None,
        test: bool = False,
        deadline: float | None = None,
        step_id: str | None = None,
        **misnamed: NoReturn,
    ) -> Evaluation:
        """Begins one evaluation, and does not wait: `concurrent.futures.as_completed` and `wait` take what it returns.

        A point that breaks a rule is no exception here either: it has a result at once, with the outcome `refused`.

        :param seed, test, deadline, step_id: as `seeds`, `test`, `deadline` and `step_ids` of `evaluate`, for one point
        :raises TypeError, ValueError: naming the argument that cannot be so, before anything is sent
        """
        refuse_misnamed("submit", misnamed, _OF_EVALUATE)
        self._check_process()
        ids = self._new_ids(1) if step_id is None else step_ids_of("step_id", step_id, None)
        points = one_point(point, self.parameters.size)
        steps = self._begin(points, seeds_of("seed", seed, None), ids, test, deadline)
        self._send(steps)
        return cast(Evaluation, steps[0].future)

    def cancel_all(self) -> None:
        """Cancels everything that is under way in this environment; its results have the outcome `cancelled`."""
        self._check_process()
        self._loop.call_soon_threadsafe(self._session.cancel_all)

    # --- θ and actions -----------------------------------------------------------------------------------------------

    def to_theta(self, action: Numbers) -> Theta:
        """The θ of an action [D], as the server decodes it. :raises ParameterError: naming what breaks a rule"""
        return self.parameters.to_theta(action)

    def to_action(self, theta: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """The action of a θ, [D]. :raises ParameterError: naming what breaks a rule"""
        return self.parameters.to_action(theta)

    @property
    def start(self) -> Theta:
        """The θ where a search starts: plausible, but poor."""
        return self.spec.start

    # --- the session -------------------------------------------------------------------------------------------------

    @property
    def workers(self) -> int:
        """The number of evaluations that the server makes at once; twice as many at a time keep it busy."""
        return int(self._session.limits["workers"])

    @property
    def limits(self) -> Mapping[str, Any]:
        """The limits that the server told."""
        return self._session.limits

    @property
    def seed(self) -> int:
        """The seed of the stream that gives evaluations their seeds."""
        return int(self._session.opened["seed"])

    @property
    def session_id(self) -> str:
        return str(self._session.opened["session_id"])

    @property
    def closed(self) -> bool:
        return isinstance(self._session.failure, ClosedError)

    @overload
    def history(self, *, limit: int = 1000, token: str | None = None, frame: Literal["list"] = "list") -> HistoryList: ...
    @overload
    def history(self, *, limit: int = 1000, token: str | None = None, frame: Literal["pandas"]) -> HistoryFrame: ...
    def history(
        self, *, limit: int = 1000, token: str | None = None, frame: Literal["list", "pandas"] = "list"
    ) -> HistoryList | HistoryFrame:
        """The finished evaluations of this session that the server keeps, the latest first; not the refused ones.

        :param limit: the greatest number of evaluations, 0 to 100,000
        :param token: of an observer; None: the one of `connect`
        :param frame: `list`: dictionaries with the fields of a result; `pandas`: a DataFrame with a column for each score
            and each component of θ (`theta.fog`, `theta.weather.rain`)
        :raises TypeError, ValueError: naming the argument that cannot be so
        :raises ConnectionLost: when the server does not answer or refuses
        :raises ImportError: without pandas, for `pandas`
        """
        self._check_process()
        opening = self._session.opening
        token = opening.token if token is None else token
        return fetch_history(
            opening.url, token=token, session=self.session_id, limit=limit, frame=frame, parameters=self.parameters
        )

    def pictures(
        self, theta: Mapping[str, Any] | None = None, *, seed: int = 0, large: bool = False, token: str | None = None
    ) -> list[Strip]:
        """Samples of a θ as pictures, drawn for people; nothing is evaluated.

        :param theta: None: the environment's start; parameters that are left out have their defaults
        :param seed: as of an evaluation, whose first samples these are
        :param large: draws them at 160 × 120 and not at the size that models are trained on
        :param token: of an observer; None: the one of `connect`
        :returns: a strip for each kind of picture (images, labels), with a picture for each sample
        :raises ValueError: when there are none (`spec.pictures` says so before), or θ breaks a rule
        :raises ConnectionLost: when the server does not answer or refuses
        :raises ImportError: without Pillow, which decodes them
        """
        self._check_process()
        opening = self._session.opening
        token = opening.token if token is None else token
        complete = self.parameters.complete(self.start if theta is None else theta)
        own = derive_seed(seed_number("seed", seed), "simulation")
        return fetch_pictures(opening.url, token, self.session_id, complete, own, large)

    def close(self, *, keep: bool = False) -> None:
        """Ends the session and cancels what is under way in it; nothing the second time, and in a forked process.

        :param keep: leaves the session to a later process, which takes it up with the `session_file`
        """
        if self._pid != os.getpid() or self.closed:
            return
        self._forgotten.detach()
        closing = asyncio.run_coroutine_threadsafe(self._session.close(keep), self._loop)
        if not in_background():
            with contextlib.suppress(TimeoutError, concurrent.futures.TimeoutError):
                closing.result(_CLOSE_SECONDS)

    async def close_async(self, *, keep: bool = False) -> None:
        """`close`, for asyncio."""
        if self._pid != os.getpid() or self.closed:
            return
        self._forgotten.detach()
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._session.close(keep), self._loop))

    def __enter__(self) -> Environment:
        if self.closed:
            raise ClosedError("the environment is closed: connect again")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(keep=self._keeps_after(kind))

    async def __aenter__(self) -> Environment:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close_async(keep=self._keeps_after(kind))

    def _keeps_after(self, kind: type[BaseException] | None) -> bool:
        # A program that failed is started again, and takes up the session of its file.
        return kind is not None and self._session.opening.session_file is not None

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<Environment {self.spec.env_id} at {self._session.opening.url}, {state}>"

    def __reduce__(self) -> tuple[Callable[[Opening], Environment], tuple[Opening]]:
        opening = self._session.opening
        if opening.session_file is not None:
            raise TypeError("environment: expected one without session_file to pickle, since two cannot share a session")
        return _reopened, (opening,)

    # --- within ------------------------------------------------------------------------------------------------------

    def _check_process(self) -> None:
        if self._pid != os.getpid():
            what = f"environment: expected the process that connected ({self._pid}), got its fork ({os.getpid()})"
            raise ForkError(f"{what}; connect in each process, or start processes with the method spawn")

    def _begin_all(
        self, points: Any, seeds: Any, test: bool, deadline: float | None, step_ids: Any
    ) -> tuple[bool, list[Step]]:
        """The steps of an `evaluate`, not yet sent, and whether it asks for a list."""
        self._check_process()
        many, listed = points_of(points, self.parameters.size)
        count = len(listed) if many else None
        ids = self._new_ids(len(listed)) if step_ids is None else step_ids_of("step_ids", step_ids, count)
        return many, self._begin(listed, seeds_of("seeds", seeds, count), ids, test, deadline)

    def _begin(
        self,
        points: Sequence[Any],
        seeds: Sequence[Mapping[str, Any]],
        step_ids: Sequence[str],
        test: bool,
        deadline: float | None,
    ) -> list[Step]:
        """A step for each point, not yet sent; one that breaks a rule is refused already."""
        common: dict[str, Any] = {}
        if test:
            common["test"] = True
        if deadline is not None:
            common["deadline_ms"] = deadline_seconds(deadline) * 1000
        steps = []
        for index, (point, seed, step_id) in enumerate(zip(points, seeds, step_ids)):
            evaluation = Evaluation(step_id, self._cancel)
            try:
                item = {"step_id": step_id, **self._point(point), **seed, **common}
            except ParameterError as error:
                refused = ProtocolError(refusal("BAD_ACTION", str(error), at=error.path, rule=error.rule))
                evaluation.set_result(Result(step_id, "refused", reason=str(error), error=refused))
                item = {"step_id": step_id}
            steps.append(Step(item, index, evaluation, None))
        return steps

    def _point(self, point: Any) -> dict[str, Any]:
        if isinstance(point, Mapping):
            complete = self.parameters.complete(point)
            return {"params": {name: complete[name] for name in point}}
        return {"action": self.parameters.checked_action(point)}

    def _new_ids(self, count: int) -> list[str]:
        with self._lock:
            first = self._count
            self._count += count
        return [f"{self._prefix}.{i}" for i in range(first + 1, first + count + 1)]

    def _send(self, steps: Sequence[Step]) -> None:
        unfinished = [step for step in steps if not step.future.done()]
        if unfinished:
            self._loop.call_soon_threadsafe(self._session.add, unfinished)

    def _cancel(self, step_ids: Sequence[str]) -> None:
        if step_ids:
            self._loop.call_soon_threadsafe(self._session.cancel, step_ids)

    def _wait(self, many: bool, steps: Sequence[Step], on_progress: Report | None) -> Any:
        _refuse_in_background("evaluate")
        events: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
        if on_progress:
            for step in steps:
                step.report = events.put
                step.future.add_done_callback(lambda _: events.put(None))
        try:
            self._send(steps)
            if on_progress:
                ended = 0
                while ended < len(steps):
                    event = events.get()
                    if event is None:
                        ended += 1
                    else:
                        on_progress(event)
            arrived: list[Result | BaseException] = []
            for step in steps:
                try:
                    arrived.append(step.future.result())
                except (ConnectionLost, ProtocolError, ClosedError, ValueError) as error:
                    arrived.append(error)
            results = collected(arrived)
        except BaseException as error:
            # After Ctrl-C the next process takes up the session of the file: what is under way goes on for it.
            if isinstance(error, Exception) or self._session.opening.session_file is None:
                self._cancel([step.id for step in steps if not step.future.done()])
            raise
        return results if many else results[0]


def _refuse_in_background(what: str) -> None:
    if in_background():
        told = "got a callback of an evaluation, for which the connection waits; use submit, or start a thread"
        raise RuntimeError(f"{what}: expected a thread of your own, {told}")


def _started(opening: Opening) -> Session:
    _refuse_in_background("connect")
    session = Session(opening)
    starting = asyncio.run_coroutine_threadsafe(session.start(), background_loop())
    try:
        starting.result()
    except BaseException:
        starting.cancel()
        raise
    return session


def _reopened(opening: Opening) -> Environment:
    return Environment(_started(replace(opening)))


def _call_soon(loop: asyncio.AbstractEventLoop, what: Callable[[Progress], None], progress: Progress) -> None:
    with contextlib.suppress(RuntimeError):  # the caller's loop has ended
        loop.call_soon_threadsafe(what, progress)


def _forget(session: Session, loop: asyncio.AbstractEventLoop, pid: int) -> None:
    """Closes the session of an environment that nobody has any more; in the background, since any thread may be here."""
    if pid == os.getpid():
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: loop.create_task(session.close(session.opening.session_file is not None)))


def _close_all() -> None:
    """At the end of the process: a session in a file is kept for the next process, every other one is closed."""
    here = [session for session in _open_sessions if session.failure is None]
    if not here:
        return
    loop = background_loop()

    async def close() -> None:
        await asyncio.gather(*(s.close(s.opening.session_file is not None) for s in here), return_exceptions=True)

    with contextlib.suppress(Exception):
        asyncio.run_coroutine_threadsafe(close(), loop).result(3)


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open_sessions.clear)
