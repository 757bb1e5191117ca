"""A file that keeps what a later process needs to go on with a session: its id and its token, for the owner only."""

from __future__ import annotations

import contextlib
import glob
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_log = logging.getLogger("learning_to_simulate")


class SessionFile:
    """The file of a session. Should other processes use it too, it belongs to the one that took up the session last.

    The server gives the session a higher `epoch` each time: nobody writes over a higher one, nor over another session
    that was not in the file when it was read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._read: tuple[str, int] | None = None

    def read(self) -> dict[str, Any] | None:
        """`session_id`, `resume_token`, `epoch`, `last_seq`, and `opened`: the environment; None if there is no session."""
        try:
            ticket = self._ticket()
        except ValueError as error:
            _log.warning("%s: expected the ticket of a session, got: %s; a new session is opened", self.path, error)
            return None
        self._read = None if ticket is None else _owner(ticket)
        return ticket

    def write(self, ticket: Mapping[str, Any]) -> bool:
        """As a whole or not at all; the program goes on without it, for example when the disk is full.

        :returns: False when another process owns the file, which then stays as it is
        """
        whole = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            whole.unlink(missing_ok=True)  # with the rights that it may have
            with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(ticket, file)
                file.flush()
                os.fsync(file.fileno())
            if self._is_anothers(ticket):
                whole.unlink()
                return False
            whole.replace(self.path)
        except OSError as error:
            _log.warning("%s: expected to keep the session there, got: %s", self.path, error)
        return True

    def remove(self, ticket: Mapping[str, Any]) -> None:
        """Removes it, unless another process owns it; with what processes have left that were killed while they wrote."""
        with contextlib.suppress(OSError):
            if self._is_anothers(ticket):
                return
            self.path.unlink()
            for rest in self.path.parent.glob(f"{glob.escape(self.path.name)}.*.new"):
                rest.unlink()

    def _is_anothers(self, ticket: Mapping[str, Any]) -> bool:
        try:
            there = self._ticket()
        except ValueError:
            return False
        if there is None or _owner(there) == self._read:
            return False
        (session, epoch), (own_session, own_epoch) = _owner(there), _owner(ticket)
        return session != own_session or epoch > own_epoch

    def _ticket(self) -> dict[str, Any] | None:
        """:raises ValueError: when the file has something else"""
        try:
            ticket = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        fields = {"session_id", "resume_token", "last_seq", "opened"}
        if not isinstance(ticket, dict) or not fields <= ticket.keys() or not isinstance(ticket["opened"], dict):
            raise ValueError("other fields")
        return ticket


def _owner(ticket: Mapping[str, Any]) -> tuple[str, int]:
    return ticket["session_id"], ticket.get("epoch", 0)
