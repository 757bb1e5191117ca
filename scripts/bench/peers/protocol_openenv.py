"""Sequential steps per second of an OpenEnv server (openenv-core) with an environment that does nothing.

As in our benchmark, server and client are separate processes. The client is OpenEnv's own. One argument: seconds.
"""

import asyncio
import multiprocessing
import socket
import sys
import time
import urllib.request

from openenv.core import GenericEnvClient
from openenv.core.env_server import Action, Environment, Observation, State, create_fastapi_app


class NoopAction(Action):
    x: float = 0.0


class NoopObservation(Observation):
    score: float = 0.0


class Noop(Environment):
    def reset(self, seed=None, episode_id=None, **kwargs):
        return NoopObservation(done=False, reward=None)

    def step(self, action, timeout_s=None, **kwargs):
        return NoopObservation(score=0.5, done=True, reward=0.5)

    @property
    def state(self):
        return State()


def serve(port):
    import uvicorn

    uvicorn.run(create_fastapi_app(Noop, NoopAction, NoopObservation), port=port, log_level="error")


async def measure(port, seconds):
    async with GenericEnvClient(base_url=f"http://127.0.0.1:{port}") as env:
        await env.reset()
        for _ in range(100):
            await env.step({"x": 0.0})
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            await env.step({"x": 0.0})
            count += 1
        return count / (time.perf_counter() - begin)


def main():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = multiprocessing.Process(target=serve, args=(port,), daemon=True)
    server.start()
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
            break
        except OSError:
            time.sleep(0.1)
    print(asyncio.run(measure(port, float(sys.argv[1]))))
    server.terminate()


if __name__ == "__main__":
    main()
