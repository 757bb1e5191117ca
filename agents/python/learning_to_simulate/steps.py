"""The evaluations of a session that have no result yet: which are sent, which wait, which are sent again.

A step has a name of its own (`step_id`), and the server evaluates it once: so every step without a result is simply sent
again on each new connection. Results are told apart by that name alone. Everything here runs in the background thread.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from .codec import Codec, encode, size_of
from .connection import refusal
from .errors import ProtocolError
from .results import Progress, Result, progress_of, result_of
from .specification import Specification

FULL = ("BUSY", "QUEUE_FULL")
"""The refusals of a server that is full."""


@dataclass(slots=True, eq=False)
class Step:
    """An evaluation without a result: an item of `step_batch`, its place in the caller's list, and who waits for it."""

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


class Channel(Protocol):
    """What the steps need of their session."""

    limits: Mapping[str, Any]
    spec: Specification

    @property
    def connected(self) -> bool: ...
    @property
    def codec(self) -> Codec: ...
    def new_id(self) -> int: ...
    def tell(self, kind: str, **fields: Any) -> None:
        """Sends a message about the session."""

    def acknowledge(self) -> None:
        """Tells the server which results have come."""

    def retry_after(self, error: ProtocolError, since: float) -> float | None:
        """Seconds after which to ask again what was refused at `since`; None if the refusal is final."""


class Steps:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._steps: dict[str, Step] = {}
        self._unsent: deque[Step] = deque()
        self._sent: set[str] = set()
        self._batches: dict[int, list[Step]] = {}
        self._cancels: dict[int, str] = {}

    # --- what the caller asks ----------------------------------------------------------------------------------------

    def add(self, steps: Iterable[Step]) -> None:
        """Begins evaluations, each an episode of its own."""
        for step in steps:
            if step.id in self._steps:
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
                    self._end(step, Result(step_id, "cancelled", reason="cancelled before it was sent"))

    def cancel_all(self) -> None:
        self.cancel(list(self._steps))

    def fail(self, error: Exception) -> None:
        """Ends all of them with an exception."""
        steps, self._steps = self._steps, {}
        self._unsent.clear()
        for step in steps.values():
            step.future.set_exception(error)

    # --- sending -----------------------------------------------------------------------------------------------------

    def send_everything(self) -> None:
        """On a new connection: the server joins what it knows, and takes the rest."""
        self._batches.clear()
        self._cancels.clear()
        self._sent.clear()
        self._unsent = deque(self._steps.values())
        for step in self._unsent:
            step.refused_at = math.inf
        self._send_unsent()

    def _send_unsent(self) -> None:
        """Sends as many steps as the session may have under way."""
        if not self._channel.connected:
            return
        ready: list[Step] = []
        while self._unsent and len(self._sent) < self._channel.limits["max_in_flight"]:
            step = self._unsent.popleft()
            if self._steps.get(step.id) is step and step.id not in self._sent:
                self._sent.add(step.id)
                ready.append(step)
        for batch in self._in_batches(ready):
            self._send_batch(batch)

    def _in_batches(self, steps: Iterable[Step]) -> Iterator[list[Step]]:
        """The steps in as few batches as the server's limits allow."""
        most = self._channel.limits["max_batch"]
        room = self._channel.limits["max_payload_bytes"] - 1000  # for the rest of the message
        batch: list[Step] = []
        size = 0
        for step in steps:
            try:
                length = size_of(encode(self._channel.codec, step.item)) + 2
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
        id = self._channel.new_id()
        self._batches[id] = steps
        self._sent.update(step.id for step in steps)
        progress = {} if steps[0].report is None else {"progress": True}
        self._channel.tell("step_batch", id=id, items=[step.item for step in steps], **progress)
        for step in steps:
            if step.cancelled:
                self._send_cancel(step.id)

    def _send_cancel(self, step_id: str) -> None:
        id = self._channel.new_id()
        self._cancels[id] = step_id
        self._channel.tell("cancel", id=id, step_id=step_id)

    # --- hearing -----------------------------------------------------------------------------------------------------

    def hear(self, message: Mapping[str, Any]) -> None:
        """A `result`, `progress`, `batch_done` or `cancelling`."""
        kind = message["t"]
        if kind == "batch_done":
            self._batches.pop(message["re"], None)
        elif kind == "cancelling":
            self._cancels.pop(message["re"], None)
        elif step := self._steps.get(message["step_id"]):
            if kind == "result":
                self._end(step, result_of(message, self._channel.spec.parameters))
            elif step.report:
                step.report(progress_of(message, step.index))
        if kind == "result":
            self._send_unsent()

    def hear_error(self, error: ProtocolError) -> None:
        """The refusal of a batch, of one of its items, or of a cancel."""
        re = error.message.get("re")
        if re in self._batches:
            named = error.message.get("step_id")
            refused = [s for s in self._batches[re] if self._steps.get(s.id) is s and named in (None, s.id)]
            if named is None:
                del self._batches[re]
            self._hear_refusal(refused, error)
        elif re in self._cancels:
            step_id = self._cancels.pop(re)
            delay = self._channel.retry_after(error, time.monotonic())
            if delay is not None:
                _later(delay, lambda: self.cancel([step_id]))
        self._send_unsent()  # in the place of what was refused

    def _hear_refusal(self, steps: list[Step], error: ProtocolError) -> None:
        """Steps that the server did not take: sent again later, or in halves to find the bad one, or refused."""
        now = time.monotonic()
        self._sent.difference_update(step.id for step in steps)
        again: list[Step] = []
        refused: list[Step] = []
        delay = None
        for step in steps:
            # A full server is asked without end; the time for other refusals begins after that.
            step.refused_at = math.inf if error.code in FULL else min(step.refused_at, now)
            after = self._channel.retry_after(error, min(step.refused_at, now))
            if step.cancelled:
                self._end(step, Result(step.id, "cancelled", reason="cancelled before the server took it"))
            elif after is None:
                refused.append(step)
            else:
                delay = after
                again.append(step)
        if delay is not None:
            _later(delay, lambda: self._send_again(again, error.code))
        if len(refused) == 1 or error.retryable:
            for step in refused:
                self._refuse(step, error)
        elif refused:
            half = len(refused) // 2
            self._send_batch(refused[:half])
            self._send_batch(refused[half:])

    def _send_again(self, steps: list[Step], code: str) -> None:
        if code == "BUSY":  # the last acknowledgement may have been lost, and the session be full because of it
            self._channel.acknowledge()
        self._unsent.extendleft(reversed(steps))
        self._send_unsent()

    def _end(self, step: Step, result: Result) -> None:
        del self._steps[step.id]
        self._sent.discard(step.id)
        step.future.set_result(result)

    def _refuse(self, step: Step, error: ProtocolError) -> None:
        self._end(step, Result(step.id, "refused", reason=str(error), error=error))


def _later(delay: float, what: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(delay, what)
