"""The pages of a server that programs read."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from .arguments import check_url
from .connection import LOOPBACK
from .errors import ConnectionLost


def ask(
    what: str, url: str, token: str | None, path: str, body: Mapping[str, Any] | None = None, seconds: float = 60
) -> Iterator[bytes]:
    """The lines of a page; with a body, of the answer to it.

    :param what: asks, for the errors
    :param url: of the server, `ws://…`
    :param token: None: the variable LTS_TOKEN, if it is set
    :raises ValueError: with the server's sentence, when it cannot be asked so, or when `url` is none
    :raises ConnectionLost: when it does not answer or refuses
    """
    check_url(url)
    token = os.environ.get("LTS_TOKEN") if token is None else token
    parts = urllib.parse.urlsplit(url)
    scheme = "https" if parts.scheme == "wss" else "http"
    address = f"{scheme}://{parts.netloc}/v1/{path}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, headers)
    try:
        with _opener(parts.hostname).open(request, timeout=seconds) as response:
            yield from (line for line in response if line.strip())
    except urllib.error.HTTPError as error:
        told = error.read(1000).decode(errors="replace").strip()
        if error.code == 400:
            raise ValueError(f"{what}: {told}") from error
        raise ConnectionLost(f"{address}: HTTP {error.code} {told[:200]}") from error
    except OSError as error:
        raise ConnectionLost(f"{address}: {error}") from error


def _opener(host: str | None) -> urllib.request.OpenerDirector:
    """As the socket of a session: through a proxy, but not to this machine."""
    proxies = [urllib.request.ProxyHandler({})] if host in LOOPBACK else []
    return urllib.request.build_opener(*proxies)
