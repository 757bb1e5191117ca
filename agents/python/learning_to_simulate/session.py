"""A session on the server, over as many sockets as it takes. Everything here runs in the background thread.

A step has a name of its own (`step_id`), and the server evaluates it once: so every step without a result is simply sent
again on each new connection. Results are told apart by that name alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from .codec import Codec, encode, size_of, to_json
from .connection import Connection, FinalRefusal, refusal
from .errors import ClosedError, ConnectionLost, ProtocolError
from .results import Progress, Result, progress_of, result_of
from .session_file import SessionFile

_log = logging.getLogger("learning_to_simulate")

_ACKNOWLEDGE_EVERY = 64
_LONGEST_RETRY = 5.0
_RETRY = 1.0
"""Seconds after which a refused request is sent again, if the server names none."""
_SAY_EVERY = 5.0
_FULL = ("BUSY", "QUEUE_FULL")
_GRACE_OF_FILES = 24 * 3600.0
"""Seconds for which the server keeps a session that is in a file, after its last evaluation has ended."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What to open, and how: the arguments of `connect`."""

    url: str
    env_id: str | None
    options: Mapping[str, Any]
    token: str | None
    seed: int | None
    session_file: str | None
    reconnect_for: float
    codec: Codec
    name: str


@dataclass(slots=True, eq=False)
class Step:
    """An evaluation without a result."""

    item: Mapping[str, Any]
    index: int
    future: Future[Result]
    report: Callable[[Progress], None] | None
    cancelled: bool = False
    refused_at: float = math.inf

    @property
    def id(self) -> str:
        step_id: str = self.item["step_id"]
        return step_id

    def finish(self, result: Result) -> None:
        self.future.set_result(result)


@dataclass(slots=True)
class _Question:
    message: Mapping[str, Any]
    answer: asyncio.Future[Mapping[str, Any]]
    asked_at: float


class Session:
    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.opened: Mapping[str, Any] = {}
        self.limits: Mapping[str, Any] = {}
        self.failure: Exception | None = None
        """Why nothing can be asked any more."""
        self._closing = False
        self._file = SessionFile(opening.session_file) if opening.session_file else None
        self._connection: Connection | None = None
        self._connected_at = -math.inf
        self._served_at = -math.inf
        self._lost_at = -math.inf
        self._wait = 0.1
        self._said_at = -math.inf
        self._ticket: dict[str, Any] = {}
        self._acknowledged = 0
        self._next_id = 0
        self._steps: dict[str, Step] = {}
        self._unsent: deque[Step] = deque()
        self._sent: set[str] = set()
        self._batches: dict[int, list[Step]] = {}
        self._cancels: dict[int, str] = {}
        self._questions: dict[int, _Question] = {}
        self._task: asyncio.Task[None] | None = None

    # --- the life of a session ---------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Connects, and opens the session or takes up the one of the file.

        :raises ConnectionLost: when no server answers, :raises ProtocolError: when it refuses
        """
        if self._file and (ticket := self._file.read()):
            self._check_file(ticket)
            self._ticket = ticket
            self._acknowledged = ticket["last_seq"]
            try:
                await self._connect()
            except ProtocolError as error:
                if error.code not in ("SESSION_NOT_FOUND", "RESUME_GAP", "BAD_MESSAGE"):
                    raise
                told = "%s: the session cannot be taken up (%s), a new one is opened"
                _log.warning(told, self._file.path, error)
                self._ticket, self._acknowledged = {}, 0
        if not self._connection:
            await self._connect()
        self._served_at = time.monotonic()
        self._task = asyncio.create_task(self._run())

    async def close(self, keep: bool = False) -> None:
        """Ends the session, and what is under way in it; with `keep`, only the connection.

        Of a lost connection, the server ends the session itself when its grace is over.
        """
        if isinstance(self.failure, ClosedError):
            return
        self._closing = True
        if self._connection and not self.failure and not keep:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._ask("close"), 5)
            if self._file:
                self._file.remove()
        elif self._connection:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._connection.flush(), 1)
        self._fail(ClosedError("environment: expected an open one, it was closed"))
        if self._task:
            self._task.cancel()
        if self._connection:
            await self._connection.close()
            self._connection = None

    def lose_connection(self) -> None:
        """For tests: loses the socket as a broken network would."""
        if self._connection:
            self._connection.abort()

    def _check_file(self, ticket: Mapping[str, Any]) -> None:
        assert self._file
        ours = {"env_id": self.opening.env_id, "options": to_json(self.opening.options)}
        theirs = ticket.get("opened")
        if theirs and ours["env_id"] in (None, theirs["env_id"]) and theirs["options"] == ours["options"]:
            return
        rule = f"expected the session of {ours['env_id']} with {ours['options']}"
        raise ValueError(f"{self._file.path}: {rule}, got one of {theirs}; name another file, or delete this one")

    async def _connect(self) -> None:
        opening = self.opening
        connection = await Connection.open(opening.url, opening.codec, opening.token, opening.name)
        try:
            self.limits = connection.welcome["limits"]
            if self._ticket:
                fields = {name: self._ticket[name] for name in ("session_id", "resume_token", "last_seq")}
                reply = await self._greeted(connection, {"t": "resume", **fields})
            else:
                reply = await self._greeted(connection, self._open_message(connection.welcome))
        except BaseException:
            await connection.close()
            raise
        self.opened = reply
        if not self._ticket:
            env_id, options = reply["spec"]["env_id"], to_json(opening.options)
            self._ticket = {"last_seq": 0, "opened": {"env_id": env_id, "options": options}}
        self._ticket |= {"session_id": reply["session_id"], "resume_token": reply["resume_token"]}
        self._keep_ticket()  # before any other message: from then on, the old token is worth nothing
        self._connection = connection
        self._connected_at = time.monotonic()
        self._send_everything()

    def _open_message(self, welcome: Mapping[str, Any]) -> Mapping[str, Any]:
        opening = self.opening
        env_id = opening.env_id
        if env_id is None:
            served = [env["env_id"] for env in welcome["envs"]]
            if len(served) != 1:
                raise ValueError(f"env_id: expected one of {', '.join(served)}, which {opening.url} serves")
            env_id = served[0]
        message: dict[str, Any] = {"t": "open", "env_id": env_id, "options": dict(opening.options)}
        if opening.seed is not None:
            message["seed"] = opening.seed
        if self._file:
            message["detach_grace_ms"] = min(_GRACE_OF_FILES * 1000, self.limits["max_detach_grace_ms"])
        return message

    async def _greeted(self, connection: Connection, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to `open` or `resume`; asks again while the server refuses it for now."""
        began = time.monotonic()
        while True:
            id = self._new_id()
            connection.send({**fields, "id": id})
            message = await connection.receive()
            while message.get("re") != id:
                message = await connection.receive()
            if message["t"] != "error":
                return message
            error = ProtocolError(message)
            delay = self._retry_after(error, began)
            if delay is None:
                raise error
            await asyncio.sleep(delay)

    async def _run(self) -> None:
        """Listens, and restores the connection whenever it is lost."""
        try:
            while True:
                assert self._connection
                try:
                    while True:
                        self._hear(await self._connection.receive())
                except ConnectionLost as cause:
                    connection, self._connection = self._connection, None
                    await connection.close()
                    if self._closing:
                        raise
                    if connection.taken_over:
                        raise ConnectionLost(f"{cause}: another client has taken over the session") from cause
                    await self._reconnect(cause)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if not self._closing:
                _log.warning("%s", error)
            self._fail(error)
            if self._connection:
                await self._connection.close()
                self._connection = None

    async def _reconnect(self, cause: ConnectionLost) -> None:
        patience = self.opening.reconnect_for
        now = time.monotonic()
        # A connection that ends at once, before anything was done, has not ended the loss.
        if self._served_at > self._lost_at or now - self._connected_at > _LONGEST_RETRY:
            self._lost_at, self._wait = now, 0.1
        if patience <= 0:
            raise cause
        _log.warning("%s; trying again for %g s", cause, patience)
        while True:
            if time.monotonic() - self._lost_at > patience:
                raise ConnectionLost(f"{cause}; tried again for {patience:g} s") from cause
            await asyncio.sleep(self._wait)
            self._wait = min(2 * self._wait, _LONGEST_RETRY)
            try:
                await self._connect()
            except FinalRefusal:
                raise
            except ConnectionLost as error:
                cause = error
            except ProtocolError as error:
                if not error.retryable:
                    raise
            else:
                _log.warning("%s: connected again", self.opening.url)
                return

    def _fail(self, error: Exception) -> None:
        """Ends everything that waits; nothing can be asked any more."""
        self.failure = self.failure or error
        if isinstance(error, ClosedError):
            self.failure = error
        steps, self._steps = self._steps, {}
        self._unsent.clear()
        for step in steps.values():
            step.future.set_exception(error)
        for question in self._questions.values():
            if not question.answer.done():
                question.answer.set_exception(error)
        self._questions.clear()

    # --- what the caller asks ----------------------------------------------------------------------------------------

    def add(self, steps: Iterable[Step]) -> None:
        """Begins evaluations, each an episode of its own."""
        for step in steps:
            if self.failure:
                step.future.set_exception(self.failure)
            elif step.id in self._steps:
                error = ValueError(f"step_id: expected one that no evaluation under way has, got {step.id!r}")
                step.future.set_exception(error)
            else:
                self._steps[step.id] = step
                self._unsent.append(step)
        self._send_unsent()

    def cancel(self, step_ids: Iterable[str]) -> None:
        """Cancels evaluations; those that the server does not know end at once."""
        for step_id in step_ids:
            if step := self._steps.get(step_id):
                step.cancelled = True
                if step_id in self._sent:
                    self._send_cancel(step_id)
                else:
                    self._end_here(step, Result(step_id, "cancelled", reason="cancelled before it was sent"))

    def cancel_all(self) -> None:
        self.cancel(list(self._steps))

    async def _ask(self, question: str) -> Mapping[str, Any]:
        """The answer to a message that has only the session's id; asked again on each new connection."""
        if self.failure:
            raise self.failure
        message = {"t": question, "id": self._new_id(), "session_id": self._ticket["session_id"]}
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._questions[message["id"]] = _Question(message, answer, time.monotonic())
        self._tell(message)
        return await answer

    # --- sending -----------------------------------------------------------------------------------------------------

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _tell(self, message: Mapping[str, Any]) -> None:
        if self._connection:
            self._connection.send(message)

    def _send_everything(self) -> None:
        """On a new connection: the server joins what it knows, and takes the rest."""
        self._batches.clear()
        self._cancels.clear()
        self._sent.clear()
        self._unsent = deque(self._steps.values())
        for step in self._unsent:
            step.refused_at = math.inf
        for question in self._questions.values():
            self._tell(question.message)
        self._send_unsent()

    def _send_unsent(self) -> None:
        """Sends as many steps as the session may have under way."""
        if not self._connection:
            return
        ready: list[Step] = []
        while self._unsent and len(self._sent) < self.limits["max_in_flight"]:
            step = self._unsent.popleft()
            if self._steps.get(step.id) is step and step.id not in self._sent:
                self._sent.add(step.id)
                ready.append(step)
        for batch in self._in_batches(ready):
            self._send_batch(batch)

    def _in_batches(self, steps: Iterable[Step]) -> Iterator[list[Step]]:
        """The steps in as few batches as the server's limits allow."""
        most = self.limits["max_batch"]
        room = self.limits["max_payload_bytes"] - 1000  # for the rest of the message
        batch: list[Step] = []
        size = 0
        for step in steps:
            try:
                length = size_of(encode(self.opening.codec, step.item)) + 2
                if length > room:
                    raise ValueError(f"expected at most {room} bytes, as the server takes, got {length}")
            except (TypeError, ValueError, OverflowError) as error:
                self._refuse(step, ProtocolError(refusal("BAD_MESSAGE", f"step {step.id!r}: {error}")))
                continue
            progress = step.report is not None
            if batch and (len(batch) == most or size + length > room or progress != (batch[0].report is not None)):
                yield batch
                batch, size = [], 0
            batch.append(step)
            size += length
        if batch:
            yield batch

    def _send_batch(self, steps: list[Step]) -> None:
        id = self._new_id()
        self._batches[id] = steps
        self._sent.update(step.id for step in steps)
        message: dict[str, Any] = {"t": "step_batch", "id": id, "session_id": self._ticket["session_id"]}
        message["items"] = [step.item for step in steps]
        if steps[0].report is not None:
            message["progress"] = True
        self._tell(message)
        for step in steps:
            if step.cancelled:
                self._send_cancel(step.id)

    def _send_cancel(self, step_id: str) -> None:
        id = self._new_id()
        self._cancels[id] = step_id
        self._tell({"t": "cancel", "id": id, "session_id": self._ticket["session_id"], "step_id": step_id})

    # --- hearing -----------------------------------------------------------------------------------------------------

    def _hear(self, message: Mapping[str, Any]) -> None:
        kind = message["t"]
        if kind not in ("error", "draining"):
            self._served_at = time.monotonic()
        if kind == "result":
            self._hear_result(message)
        elif kind == "progress":
            step = self._steps.get(message["step_id"])
            if step and step.report:
                step.report(progress_of(message, step.index))
        elif kind == "error":
            self._hear_error(ProtocolError(message))
        elif kind == "batch_done":
            self._batches.pop(message["re"], None)
        elif kind == "cancelling":
            self._cancels.pop(message["re"], None)
        elif question := self._questions.pop(message.get("re", -1), None):
            if not question.answer.done():
                question.answer.set_result(message)

    def _hear_result(self, message: Mapping[str, Any]) -> None:
        if message["session_id"] != self._ticket["session_id"]:
            return
        self._ticket["last_seq"] = max(self._ticket["last_seq"], message["seq"])
        if step := self._steps.get(message["step_id"]):
            self._end_here(step, result_of(message))
        # Of a server that keeps few results, the group must be smaller than those few.
        group = min(_ACKNOWLEDGE_EVERY, math.ceil(self.limits["max_unacknowledged"] / 2))
        if self._ticket["last_seq"] - self._acknowledged >= group:
            self._acknowledge()
        self._send_unsent()

    def _acknowledge(self) -> None:
        self._acknowledged = self._ticket["last_seq"]
        self._keep_ticket()
        self._tell({"t": "ack", "session_id": self._ticket["session_id"], "seq": self._acknowledged})

    def _keep_ticket(self) -> None:
        if self._file:
            self._file.write(self._ticket)

    def _end_here(self, step: Step, result: Result) -> None:
        del self._steps[step.id]
        self._sent.discard(step.id)
        step.finish(result)

    def _refuse(self, step: Step, error: ProtocolError) -> None:
        self._end_here(step, Result(step.id, "refused", reason=str(error), error=error))

    def _hear_error(self, error: ProtocolError) -> None:
        re = error.message.get("re")
        if error.code == "SESSION_NOT_FOUND":
            self._fail(error)
        elif re in self._batches:
            steps = self._batches[re]
            named = error.message.get("step_id")
            refused = [s for s in steps if self._steps.get(s.id) is s and named in (None, s.id)]
            if named is None:
                del self._batches[re]
            self._hear_refusal(refused, error)
        elif re in self._cancels:
            step_id = self._cancels.pop(re)
            if error.retryable and step_id in self._steps:
                self._later(_RETRY if error.retry_after is None else error.retry_after, lambda: self.cancel([step_id]))
        elif question := self._questions.get(re if isinstance(re, int) else -1):
            delay = self._retry_after(error, question.asked_at)
            if delay is not None:
                self._later(delay, lambda: self._tell(question.message))
            elif not question.answer.done():
                question.answer.set_exception(error)

    def _hear_refusal(self, steps: list[Step], error: ProtocolError) -> None:
        """Steps that the server did not take: sent again later, or in halves to find the bad one, or refused."""
        now = time.monotonic()
        self._sent.difference_update(step.id for step in steps)
        again: list[Step] = []
        for step in steps:
            step.refused_at = min(step.refused_at, now)
            delay = self._retry_after(error, step.refused_at)
            if step.cancelled:
                self._end_here(step, Result(step.id, "cancelled", reason="cancelled before the server took it"))
            elif delay is not None:
                again.append(step)
        if again:
            self._later(self._retry_after(error, now) or _RETRY, lambda: self._send_again(again, error.code))
            return
        left = [step for step in steps if self._steps.get(step.id) is step]
        if len(left) == 1 or error.retryable:
            for step in left:
                self._refuse(step, error)
        elif left:
            half = len(left) // 2
            self._send_batch(left[:half])
            self._send_batch(left[half:])

    def _send_again(self, steps: list[Step], code: str) -> None:
        if code == "BUSY":  # the last acknowledgement may have been lost, and the session be full because of it
            self._acknowledge()
        self._unsent.extendleft(reversed(steps))
        self._send_unsent()

    def _retry_after(self, error: ProtocolError, since: float) -> float | None:
        """Seconds after which to ask again what was refused at `since`; None if the refusal is final."""
        # Of a server that is full, room is a question of time, and its evaluations may take hours.
        full = error.code in _FULL
        now = time.monotonic()
        if error.code == "RATE_LIMITED":
            since = max(since, self._served_at)
        if not error.retryable or (not full and now - since >= self.opening.reconnect_for):
            return None
        if now - self._said_at >= (60 if full else _SAY_EVERY):
            self._said_at = now
            _log.warning("%s: %s; asking again", self.opening.url, error)
        return _RETRY if error.retry_after is None else error.retry_after

    def _later(self, delay: float, what: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(delay, what)
