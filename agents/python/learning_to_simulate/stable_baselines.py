"""The vector environment of Stable-Baselines3: its own vector environments step one environment after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from .episodes import Action, Observation, info_of, observation_of
from .vector import SimulatorVectorEnvironment


class SimulatorVecEnv(VecEnv):
    """`PPO("MlpPolicy", SimulatorVecEnv(num_envs=8, url=…, env_id=…))`: each step is one batch, over all workers.

    Its arguments are those of `SimulatorVectorEnvironment`. `seed` before `reset` decides all rewards.
    """

    def __init__(self, num_envs: int, *args: Any, **arguments: Any) -> None:
        self.environment = SimulatorVectorEnvironment(num_envs, *args, **arguments)
        self._actions: Action = np.zeros(0)
        spaces = self.environment.single_observation_space, self.environment.single_action_space
        super().__init__(self.environment.num_envs, *spaces)

    def reset(self) -> Observation:
        observations, _ = self.environment.reset(seed=self._seeds)
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = [{} for _ in range(self.num_envs)]
        return observations

    def step_async(self, actions: Action) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[Observation, Action, Action, list[dict[str, Any]]]:
        results, rewards = self.environment.evaluate(self._actions)
        last = {"TimeLimit.truncated": False}
        infos = [{**info_of(r), **last, "terminal_observation": observation_of(r)} for r in results]
        shape = self.environment.observation_space.shape or ()
        return np.zeros(shape, np.float32), rewards.astype(np.float32), np.ones(self.num_envs, np.bool_), infos

    def get_images(self) -> Sequence[Any]:
        return self.environment.render() or [None] * self.num_envs

    def close(self) -> None:
        self.environment.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self.environment, attr_name)] * len(self._chosen(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError("set_attr: expected no change, since all environments are one session")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **arguments: Any) -> list[Any]:
        method = getattr(self.environment, method_name)
        return [method(*args, **arguments)] * len(self._chosen(indices))

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        return [False] * len(self._chosen(indices))

    def _chosen(self, indices: Any) -> Sequence[int]:
        return list(self._get_indices(indices))
