"""The environments by the ids of Gymnasium: `gymnasium.make("learning_to_simulate:Mixture-v0", url=…)`."""

from __future__ import annotations

import gymnasium

BUILT_IN = (
    "Mixture-v0",
    "TrafficCounting-v0",
    "TrafficSegmentation-v0",
    "TrafficSegmentationReal-v0",
    "TrafficDetection-v0",
    "TrafficDetectionReal-v0",
    "TrafficMatch-v0",
    "TrafficMatchReal-v0",
    "Program-v0",
    "Table-v0",
)


def register(env_id: str) -> None:
    """Makes `gymnasium.make(env_id, url=…)` open that environment of a server; nothing if the id is taken.

    The built-in ones are registered when the package is imported; `Simulator-v0` opens any, by its argument `env_id`.
    """
    if env_id in gymnasium.registry:
        return
    gymnasium.register(
        id=env_id,
        entry_point="learning_to_simulate.environment:SimulatorEnvironment",
        vector_entry_point="learning_to_simulate.vector:SimulatorVectorEnvironment",
        kwargs={} if env_id == "Simulator-v0" else {"env_id": env_id},
    )


def register_built_in() -> None:
    for env_id in (*BUILT_IN, "Simulator-v0"):
        register(env_id)
