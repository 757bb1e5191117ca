"""A session on the server, over as many sockets as it takes. Everything here runs in the background thread."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

from .codec import Codec, to_json
from .connection import Connection, FinalRefusal
from .errors import ClosedError, ConnectionLost, ProtocolError
from .opening import Opening
from .session_file import SessionFile
from .specification import Specification, specification_of
from .steps import FULL, Step, Steps

_log = logging.getLogger("learning_to_simulate")

_ACKNOWLEDGE_EVERY = 64
_LONGEST_RETRY = 5.0
_RETRY = 1.0
"""Seconds after which a refused request is sent again, if the server names none."""
_SAY_EVERY = 5.0
_LEAST_GRACE = 120.0
_GRACE_OF_FILES = 24 * 3600.0
"""Seconds for which the server keeps a session that is in a file, after its last evaluation has ended."""


class Session:
    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.opened: Mapping[str, Any] = {}
        self.limits: Mapping[str, Any] = {}
        self.spec: Specification
        self.failure: Exception | None = None
        """Why nothing can be asked any more."""
        self._closing = False
        self._file = SessionFile(opening.session_file) if opening.session_file else None
        self._has_file = self._file is not None
        """Whether the session is kept in the file; not if another process has the file now."""
        self._connection: Connection | None = None
        self._connected_at = -math.inf
        self._served_at = -math.inf
        self._lost_at = -math.inf
        self._wait = 0.1
        self._said_at = -math.inf
        self._ticket: dict[str, Any] = {}
        self._acknowledged = 0
        self._next_id = 0
        self._steps = Steps(self)
        self._goodbye: tuple[int, asyncio.Future[None]] | None = None
        self._task: asyncio.Task[None] | None = None

    # --- the life of a session ---------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Connects, and opens the session or takes up the one of the file.

        :raises ConnectionLost: when no server answers, :raises ProtocolError: when it refuses
        """
        taken_up = False
        if self._file and (ticket := self._file.read()):
            self._check_file(ticket)
            self._ticket = ticket
            self._acknowledged = ticket["last_seq"]
            try:
                await self._connect()
                taken_up = True
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
        if self._file and not self._has_file:
            await self.close(keep=taken_up)
            told = "another process has taken this file at the same time"
            raise ConnectionLost(f"{self._file.path}: {told}; start again to take up its session, or name another file")

    async def close(self, keep: bool = False) -> None:
        """Ends the session, and what is under way in it; with `keep`, only the connection.

        Of a lost connection, the server ends the session itself when its grace is over.
        """
        if isinstance(self.failure, ClosedError):
            return
        self._closing = True
        if self._connection and not self.failure and not keep:
            await self._say_goodbye()
            if self._file:
                self._file.remove(self._ticket)
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
        opening, kept = self.opening, ticket["opened"]
        given: dict[str, Any] = {"env_id": opening.env_id, "options": to_json(opening.options), "seed": opening.seed}
        for name, value in given.items():
            own = kept.get(name, value)
            same = json.loads(own) == json.loads(value) if name == "options" else value in (None, own)
            if not same:
                rule = f"expected {name} {own}, as the session in this file has, got {value}"
                raise ValueError(f"{self._file.path}: {rule}; name another file, or delete this one")

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
            self.spec = specification_of(reply["spec"])
        except BaseException:
            await connection.close()
            raise
        self.opened = reply
        if not self._ticket:
            env_id, options = reply["spec"]["env_id"], to_json(opening.options)
            self._ticket = {"last_seq": 0, "opened": {"env_id": env_id, "options": options, "seed": reply["seed"]}}
        self._ticket |= {name: reply[name] for name in ("session_id", "resume_token", "epoch")}
        self._keep_ticket()  # before any other message: from then on, the old token is worth nothing
        self._connection = connection
        self._connected_at = time.monotonic()
        self._steps.send_everything()

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
        # Longer than this client tries again: it may hear of a lost connection later than the server.
        grace = _GRACE_OF_FILES if self._file else max(_LEAST_GRACE, 2 * opening.reconnect_for)
        message["detach_grace_ms"] = min(grace * 1000, self.limits["max_detach_grace_ms"])
        return message

    async def _greeted(self, connection: Connection, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to `open` or `resume`; asks again while the server refuses it for now."""
        began = time.monotonic()
        while True:
            id = self.new_id()
            connection.send({**fields, "id": id})
            message = await connection.receive()
            while message.get("re") != id:
                message = await connection.receive()
            if message["t"] != "error":
                return message
            error = ProtocolError(message)
            delay = self.retry_after(error, began)
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
                        own = f"; one process a session_file: {self._file.path}" if self._file else ""
                        raise ConnectionLost(f"{cause}: another client has taken over the session{own}") from cause
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
        if isinstance(error, ProtocolError):  # the server took the connection, and not the session
            lost = ConnectionLost(f"{self.opening.url}: {error}")
            lost.__cause__ = error
            error = lost
        self.failure = self.failure or error
        if isinstance(error, ClosedError):
            self.failure = error
        self._steps.fail(error)
        self._end_goodbye()

    # --- what the caller asks ----------------------------------------------------------------------------------------

    def add(self, steps: Iterable[Step]) -> None:
        """Begins evaluations, each an episode of its own."""
        if self.failure:
            for step in steps:
                step.future.set_exception(self.failure)
        else:
            self._steps.add(steps)

    def cancel(self, step_ids: Iterable[str]) -> None:
        self._steps.cancel(step_ids)

    def cancel_all(self) -> None:
        self._steps.cancel_all()

    async def _say_goodbye(self) -> None:
        """Waits until the server has closed the session, or the connection is lost."""
        goodbye = self.new_id(), asyncio.get_running_loop().create_future()
        self._goodbye = goodbye
        self.tell("close", id=goodbye[0])
        with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
            await asyncio.wait_for(goodbye[1], 5)

    # --- messages ----------------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def codec(self) -> Codec:
        return self.opening.codec

    def new_id(self) -> int:
        """A new id for a message, also for those of later connections."""
        self._next_id += 1
        return self._next_id

    def tell(self, kind: str, **fields: Any) -> None:
        """Sends a message about this session, if there is a connection."""
        if self._connection:
            self._connection.send({"t": kind, "session_id": self._ticket["session_id"], **fields})

    def acknowledge(self) -> None:
        """Tells the server which results have come, so that it may forget them."""
        self._acknowledged = self._ticket["last_seq"]
        self._keep_ticket()  # before the server forgets them: the next process asks for those after this one
        self.tell("ack", seq=self._acknowledged)

    def _keep_ticket(self) -> None:
        if not self._file or not self._has_file:
            return
        self._has_file = self._file.write(self._ticket)
        if not self._has_file:
            _log.warning("%s: another process has taken this file; this session is not kept any more", self._file.path)

    def _hear(self, message: Mapping[str, Any]) -> None:
        kind = message["t"]
        if kind not in ("error", "draining"):
            self._served_at = time.monotonic()
        if kind == "result":
            self._ticket["last_seq"] = max(self._ticket["last_seq"], message["seq"])
            # Of a server that keeps few results, the group must be smaller than those few.
            group = min(_ACKNOWLEDGE_EVERY, math.ceil(self.limits["max_unacknowledged"] / 2))
            if self._ticket["last_seq"] - self._acknowledged >= group:
                self.acknowledge()
        if kind in ("result", "progress", "batch_done", "cancelling"):
            self._steps.hear(message)
        elif self._goodbye and message.get("re") == self._goodbye[0]:
            self._end_goodbye()
        elif kind == "error":
            error = ProtocolError(message)
            if error.code == "SESSION_NOT_FOUND":
                self._fail(error)
            else:
                self._steps.hear_error(error)

    def _end_goodbye(self) -> None:
        if self._goodbye and not self._goodbye[1].done():
            self._goodbye[1].set_result(None)

    def retry_after(self, error: ProtocolError, since: float) -> float | None:
        """Seconds after which to ask again what was refused at `since`; None if the refusal is final."""
        # Of a server that is full, room is a question of time, and its evaluations may take hours.
        full = error.code in FULL
        now = time.monotonic()
        if error.code == "RATE_LIMITED":
            since = max(since, self._served_at)
        if not error.retryable or (not full and now - since >= self.opening.reconnect_for):
            return None
        if now - self._said_at >= (60 if full else _SAY_EVERY):
            self._said_at = now
            _log.warning("%s: %s; asking again", self.opening.url, error)
        return _RETRY if error.retry_after is None else error.retry_after
