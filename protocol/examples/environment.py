"""An environment of a server, in Python: Gymnasium's reset and step, and many evaluations at once (evaluate).

    pip install websockets gymnasium
"""

import contextlib
import json
import uuid

import gymnasium
import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


class ProtocolError(Exception):
    """A request that the server refused, or one item of it (step_id): a code of the protocol, and a sentence."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.step_id = error.get("step_id")


def box(space):
    return gymnasium.spaces.Box(np.array(space["low"], np.float32), np.array(space["high"], np.float32))


def plain(value):
    """Values of numpy, single or in arrays, as Python's."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"message: expected values of JSON or numpy, got {value!r}")


def encode(message):
    return json.dumps(message, default=plain)


def numbers(action):
    return [float(a) for a in np.atleast_1d(action)]  # a single number is the action of one dimension


class Environment(gymnasium.Env):
    def __init__(self, url="ws://127.0.0.1:7077", env_id=None, options=None, token=None):
        for name, value in {"env_id": env_id, "token": token}.items():
            if value == "":
                raise ValueError(f"{name}: expected a word or None, got nothing")
        headers = {"Authorization": f"Bearer {token}"} if token is not None else None
        connection = connect(
            url, subprotocols=["lts.v1.json"], additional_headers=headers, compression=None, max_size=None
        )
        self.last_id = 0
        self.session = None
        with contextlib.ExitStack() as stack:  # the connection ends here if the server refuses something
            self.socket = stack.enter_context(connection)
            self.open(env_id, options)
            self.connection = stack.pop_all()

    def open(self, env_id, options):
        welcome = self.ask("hello", protocol=[1], client={"name": "python", "version": "1"}, capabilities=["batch"])
        self.limits = welcome["limits"]
        env_id = env_id or welcome["envs"][0]["env_id"]
        opened = self.ask("open", env_id=env_id, options=options or {})
        self.session = opened["session_id"]
        self.description = opened["spec"]  # parameters of θ, metrics, the reward's metric, θ to start from
        self.action_space = box(self.description["spaces"]["action"])
        self.observation_space = box(self.description["spaces"]["observation"])

    def reset(self, *, seed=None, options=None):
        seed = None if seed is None else int(seed)  # Gymnasium takes no integer of numpy
        super().reset(seed=seed)
        given = {} if seed is None else {"seed": seed}
        reply = self.ask("reset", session_id=self.session, **given)
        return np.array(reply["observation"], np.float32), {}

    def step(self, action):
        id = self.send("step", session_id=self.session, step_id=str(uuid.uuid4()), action=numbers(action))
        result = self.wait(id, "result")
        self.tell("ack", session_id=self.session, seq=result["seq"])
        observation = np.array(result["observation"], np.float32)
        # An evaluation that failed has no reward; its outcome says why.
        reward = float("nan") if result["reward"] is None else result["reward"]
        told = ("outcome", "reason", "scores", "theta", "seed", "seeds", "repro")
        info = {name: result[name] for name in told if name in result}
        return observation, reward, result["terminated"], result["truncated"], info

    def evaluate(self, actions, **each):
        """Evaluates each action as an episode of its own; results in the order of the actions.

        One that the server refuses has the outcome `refused`, a reason, and no reward; the others are evaluated.
        `each` holds fields for all of them: seed, test, deadline_ms.
        """
        items = [{"step_id": str(uuid.uuid4()), "action": numbers(action), **each} for action in actions]
        return [result for batch in self.batches(items) for result in self.evaluate_batch(batch)]

    def batches(self, items):
        """The items in as many batches as the server's limits make necessary."""
        most = min(self.limits["max_batch"], self.limits["max_in_flight"])
        bytes_left = self.limits["max_payload_bytes"] - 1000  # for the rest of the message
        batch, size = [], 0
        for item in items:
            length = len(encode(item).encode()) + 2
            if batch and (len(batch) == most or size + length > bytes_left):
                yield batch
                batch, size = [], 0
            batch.append(item)
            size += length
        if batch:
            yield batch

    def evaluate_batch(self, items):
        id = self.send("step_batch", session_id=self.session, items=items)
        results = {}
        while True:
            try:
                message = self.wait(id, "result", "batch_done")
            except ProtocolError as error:
                if error.step_id is None:
                    raise
                results[error.step_id] = {"outcome": "refused", "reason": str(error), "reward": None}
                continue
            if message["t"] == "batch_done":
                break
            results[message["step_id"]] = message
        if seqs := [result["seq"] for result in results.values() if "seq" in result]:
            self.tell("ack", session_id=self.session, seq=max(seqs))
        return [results[item["step_id"]] for item in items]

    def close(self):
        """Ends the session and the connection; nothing the second time."""
        session, self.session = self.session, None
        if session is None:
            return
        with self.connection, contextlib.suppress(ConnectionClosed):
            self.ask("close", session_id=session)

    def tell(self, type, **fields):
        self.socket.send(encode({"t": type, **fields}))

    def send(self, type, **fields):
        self.last_id += 1
        self.tell(type, id=self.last_id, **fields)
        return self.last_id

    def wait(self, id, *types):
        """The next answer to a request that has one of these types; the next answer of any type without types."""
        while True:
            message = json.loads(self.socket.recv())
            if message["t"] == "error" and message["re"] in (id, None):
                raise ProtocolError(message)
            if message.get("re") == id and message["t"] in (types or [message["t"]]):
                return message

    def ask(self, type, **fields):
        return self.wait(self.send(type, **fields))
