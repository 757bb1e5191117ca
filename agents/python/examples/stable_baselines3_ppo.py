"""PPO of Stable-Baselines3: an episode is one evaluation. It needs more of them than others do: pip install stable-baselines3"""

import argparse
import json

from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor

import learning_to_simulate as lts
from learning_to_simulate.stable_baselines import SimulatorVecEnv

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
parser.add_argument("--url", default="ws://127.0.0.1:7077", help="of the server")
parser.add_argument("--env", help="its environment, if it has several")
parser.add_argument("--env-options", type=json.loads, default={}, help='such as {"preset": "quick"}')
parser.add_argument("--evaluations", type=int, default=512, help="at least; PPO makes whole iterations")
parser.add_argument("--batch", type=int, default=16, help="evaluations at once; four times as many make an iteration")
parser.add_argument("--failure", type=float, default=-1.0, help="reward of an evaluation that has none")
parser.add_argument("--seed", type=int, default=1, help="of PPO and of the environment")
flags = parser.parse_args()

# NaN would stay in the policy for ever, so a failure has a number; action 0, where PPO begins, is the start.
environment = SimulatorVecEnv(
    flags.batch, flags.url, flags.env, flags.env_options, on_failure=flags.failure, zero="start"
)
# An observation says nothing before the step, so nothing can be predicted from it: no discount, small networks.
policy = {"net_arch": [8], "log_std_init": -1.0}
model = PPO("MlpPolicy", VecMonitor(environment), n_steps=4, batch_size=4 * flags.batch, gamma=0.0, learning_rate=0.01,
            seed=flags.seed, policy_kwargs=policy, device="cpu")  # fmt: skip
results = []


def report(told, _):
    for info, reward in zip(told["infos"], told["rewards"].tolist()):
        ok = info["outcome"] == "ok"
        results.append(lts.Result(str(len(results)), info["outcome"], reward if ok else None, theta=info["theta"]))
    if told["self"].num_timesteps % (4 * flags.batch) == 0:
        latest = [flags.failure if r.reward is None else r.reward for r in results[-4 * flags.batch :]]
        print(f"[{model.num_timesteps}/{flags.evaluations}] mean reward {sum(latest) / len(latest):.4f}")
    return True


model.learn(flags.evaluations, callback=report)
action, _ = model.predict(environment.reset()[:1], deterministic=True)
mean = environment.environment.to_theta(action[0])
for finalist in lts.finalists(environment.environment.remote, results, also=[mean])[:1]:
    print(f"on fresh seeds {finalist.reward:.4f}: {json.dumps(finalist.theta)}")
environment.close()
