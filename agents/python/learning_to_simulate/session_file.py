"""A file that keeps what a later process needs to go on with a session: its id and its token, for the owner only."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_log = logging.getLogger("learning_to_simulate")


class SessionFile:
    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def read(self) -> dict[str, Any] | None:
        """`session_id`, `resume_token`, `last_seq`, and `opened`: the environment; None if there is no session."""
        try:
            ticket = json.loads(self.path.read_text("utf-8"))
            if not isinstance(ticket, dict) or not {"session_id", "resume_token", "last_seq"} <= ticket.keys():
                raise ValueError("other fields")
            return ticket
        except FileNotFoundError:
            return None
        except ValueError as error:
            _log.warning("%s: expected the ticket of a session, got: %s; a new session is opened", self.path, error)
            return None

    def write(self, ticket: Mapping[str, Any]) -> None:
        """As a whole or not at all; the program goes on without it, for example when the disk is full."""
        whole = self.path.with_name(self.path.name + ".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            whole.unlink(missing_ok=True)  # with the rights that it may have
            with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(ticket, file)
                file.flush()
                os.fsync(file.fileno())
            whole.replace(self.path)
        except OSError as error:
            _log.warning("%s: expected to keep the session there, got: %s", self.path, error)

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self.path.unlink()
