"""One socket, from `hello` to its close. Everything here runs in the background thread."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from .codec import Codec, decode, encode
from .errors import ConnectionLost, ProtocolError

_MOST_BYTES = 64 * 1024 * 1024
_WELCOME_SECONDS = 10
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class FinalRefusal(ConnectionLost):
    """The next attempt to connect would be refused too."""


class Connection:
    """A socket that was welcomed; `welcome` is the server's message."""

    def __init__(self, socket: ClientConnection, url: str, codec: Codec) -> None:
        self._socket = socket
        self._url = url
        self._codec = codec
        self._outgoing: deque[bytes | str] = deque()
        self._something_to_send = asyncio.Event()
        self._tasks = [asyncio.create_task(self._write())]
        self.welcome: Mapping[str, Any] = {}

    @classmethod
    async def open(cls, url: str, codec: Codec, token: str | None, name: str) -> Connection:
        """:raises ConnectionLost: when no server answers, :raises ProtocolError: when it refuses"""
        try:
            socket = await connect(
                url,
                subprotocols=[Subprotocol(f"lts.v1.{codec}")],
                additional_headers={"Authorization": f"Bearer {token}"} if token else None,
                compression=None,
                max_size=_MOST_BYTES,
                open_timeout=_WELCOME_SECONDS,
                close_timeout=1,
                ping_interval=None,  # our own pings follow the server's heartbeat
                proxy=None if urlsplit(url).hostname in LOOPBACK else True,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            told = f"{url}: the server refused the connection with HTTP {status} {_first_line(error.response.body)}"
            if status == 503:
                raise ConnectionLost(told.strip()) from error
            if status == 401:
                raise ProtocolError(refusal("UNAUTHENTICATED", f"{url}: expected the token of this server")) from None
            raise FinalRefusal(told.strip()) from error
        except ConnectionRefusedError as error:
            hint = "no server listens there (npm run serve -- --env … starts one)"
            raise ConnectionLost(f"{url}: {hint}") from None
        except ssl.SSLError as error:
            hint = "; a server without TLS is ws://…" if error.reason == "WRONG_VERSION_NUMBER" else ""
            raise ConnectionLost(f"{url}: {error}{hint}") from error
        except (OSError, TimeoutError, asyncio.TimeoutError, InvalidHandshake) as error:
            raise ConnectionLost(f"{url}: {error or type(error).__name__}") from error
        connection = cls(socket, url, codec)
        try:
            await asyncio.wait_for(connection._greet(name), _WELCOME_SECONDS)
        except BaseException as error:
            await connection.close()
            if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
                raise ConnectionLost(f"{url}: expected welcome within {_WELCOME_SECONDS} s") from error
            raise
        return connection

    async def _greet(self, name: str) -> None:
        client = {"name": name, "version": "1", "language": "python"}
        capabilities = ["progress", "resume", "batch"]
        self.send({"t": "hello", "id": 0, "protocol": [1], "client": client, "capabilities": capabilities})
        while not self.welcome:
            message = await self.receive()
            if message["t"] == "error":
                raise ProtocolError(message)
            if message["t"] == "welcome":
                self.welcome = message
        self._tasks.append(asyncio.create_task(self._keep_alive(self.welcome["heartbeat"])))

    def send(self, message: Mapping[str, Any]) -> None:
        """Sends after what was sent before; nothing when the socket is lost: `receive` tells it.

        :raises TypeError, ValueError, OverflowError: for a message with a value that cannot be sent
        """
        self._outgoing.append(encode(self._codec, message))
        self._something_to_send.set()

    async def receive(self) -> dict[str, Any]:
        """The next message.

        :raises ConnectionLost: when the socket is lost, or the server's message is none
        """
        try:
            frame = await self._socket.recv()
        except ConnectionClosed as error:
            raise ConnectionLost(f"{self._url}: the connection was closed ({_closed(error)})") from error
        try:
            return decode(frame)
        except (ValueError, RecursionError) as error:
            raise ConnectionLost(f"{self._url}: expected a message of the protocol: {error}") from error

    @property
    def taken_over(self) -> bool:
        """Whether another client has resumed the session."""
        return self._socket.close_code == 4409

    async def flush(self) -> None:
        """Waits until everything is on its way."""
        while self._outgoing and self._socket.close_code is None:
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._socket.close()

    def abort(self) -> None:
        """Ends the socket at once, as a broken network would."""
        self._socket.transport.abort()

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._something_to_send.wait()
                self._something_to_send.clear()
                while self._outgoing:
                    await self._socket.send(self._outgoing[0])
                    self._outgoing.popleft()

    async def _keep_alive(self, heartbeat: Mapping[str, Any]) -> None:
        """Ends a socket whose server is silent for longer than its heartbeat allows."""
        interval, patience = heartbeat["interval_ms"] / 1000, heartbeat["timeout_ms"] / 1000
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(interval)
                pong = await self._socket.ping()
                try:
                    await asyncio.wait_for(pong, patience)
                except (TimeoutError, asyncio.TimeoutError):
                    self.abort()
                    return


def refusal(code: str, message: str, **fields: Any) -> dict[str, Any]:
    """An `error` of the protocol, for what is refused before the server says so."""
    return {"t": "error", "re": None, "code": code, "message": message, "retryable": False, **fields}


def _first_line(body: bytes | bytearray | None) -> str:
    return bytes(body or b"").decode(errors="replace").split("\n")[0][:200]


def _closed(error: ConnectionClosed) -> str:
    if error.rcvd is None:
        return "without a word"
    return f"{error.rcvd.code} {error.rcvd.reason}".strip()
