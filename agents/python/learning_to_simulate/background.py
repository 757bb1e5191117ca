"""The thread in which sockets live: it answers the server's pings while the caller's threads are busy."""

from __future__ import annotations

import asyncio
import os
import threading

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def background_loop() -> asyncio.AbstractEventLoop:
    """The event loop of this process, in a thread of its own; all environments share it. It ends with the process."""
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="learning_to_simulate", daemon=True).start()
        return _loop


def in_background() -> bool:
    """Whether this is that thread: to wait for it here would be for ever."""
    return threading.current_thread().name == "learning_to_simulate"


def _forget() -> None:
    # A forked process has none of its parent's threads, and perhaps a lock that one of them held.
    global _loop, _lock
    _loop, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
