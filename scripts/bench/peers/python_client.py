"""Milliseconds that a step takes in Python, and those that this process computes in it, with an environment that does nothing.

    python_client.py <echo|bare|client> <items at once> <seconds>

`echo`: a bare server of websockets gives the step back. `bare`: our server, by websockets alone. `client`: our server, by
our client.
"""

import asyncio
import contextlib
import multiprocessing
import sys
import time
from pathlib import Path

import msgpack

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "agents" / "python"))

import learning_to_simulate as lts  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

WARM_UP = 300
NOOP = ROOT / "scripts" / "bench" / "noop-environment.ts"


def echo_server(pipe):
    from websockets.asyncio.server import serve

    async def echo(socket):
        async for message in socket:
            await socket.send(msgpack.packb(msgpack.unpackb(message)))

    async def main():
        async with serve(echo, "127.0.0.1", 0, compression=None) as server:
            pipe.send(server.sockets[0].getsockname()[1])
            await asyncio.Future()

    asyncio.run(main())


def items_of(count, number):
    return [{"step_id": f"{number}-{i}", "action": [0.0]} for i in range(count)]


@contextlib.contextmanager
def echoing(count):
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=echo_server, args=(there,), daemon=True)
    server.start()
    with connect(f"ws://127.0.0.1:{here.recv()}", compression=None) as socket:

        def work(number):
            socket.send(msgpack.packb({"t": "step_batch", "id": number, "items": items_of(count, number)}))
            msgpack.unpackb(socket.recv())

        yield work
    server.terminate()


@contextlib.contextmanager
def bare(count):
    with lts.serve(NOOP, repository=ROOT, workers=0) as server:
        with connect(server.url, subprotocols=["lts.v1.msgpack"], compression=None) as socket:

            def ask(last, **message):
                socket.send(msgpack.packb(message))
                while True:
                    answer = msgpack.unpackb(socket.recv())
                    if answer["t"] == "result":
                        ask.seq = answer["seq"]
                    if answer["t"] == last:
                        return answer

            ask("welcome", t="hello", id=1, protocol=[1])
            session = ask("opened", t="open", id=2, env_id="Noop-v0")["session_id"]

            def work(number):
                if count == 1:
                    ask("result", t="step", id=number, session_id=session, reset=True, **items_of(1, number)[0])
                else:
                    ask("batch_done", t="step_batch", id=number, session_id=session, items=items_of(count, number))
                socket.send(msgpack.packb({"t": "ack", "session_id": session, "seq": ask.seq}))

            yield work


@contextlib.contextmanager
def client(count):
    with lts.serve(NOOP, repository=ROOT, workers=0) as server, lts.connect(server.url) as environment:
        actions = [[0.0]] * count
        yield lambda number: environment.evaluate(actions[0] if count == 1 else actions)


if __name__ == "__main__":
    mode, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    with {"echo": echoing, "bare": bare, "client": client}[mode](count) as work:
        for number in range(10, 10 + max(10, WARM_UP // count)):
            work(number)
        steps, begin, computed = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - begin < seconds:
            number += 1
            work(number)
            steps += count
        took, computed = time.perf_counter() - begin, time.process_time() - computed
    print(1000 * took / steps, 1000 * computed / steps)
