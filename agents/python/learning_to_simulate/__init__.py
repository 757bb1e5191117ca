"""Learning to Simulate: optimise a simulator's parameters so that a model trained on its images scores best.

    import learning_to_simulate as lts

    with lts.serve("Mixture-v0") as server, lts.connect(server.url) as environment:
        print(environment.evaluate(environment.start).reward)
"""

from .client import Environment, connect, connect_async
from .distributions import (
    Dimension,
    dimensions,
    from_values,
    nevergrad_parametrization,
    optuna_distributions,
    suggest,
    to_values,
)
from .environment import SimulatorEnvironment
from .errors import (
    ClosedError,
    ConnectionLost,
    EvaluationError,
    ForkError,
    ParameterError,
    ProtocolError,
    ServerError,
)
from .evaluation import Evaluation
from .finalists import Finalist, finalists
from .history import fetch_history
from .kinds import Boolean, Categorical, Continuous, Integer, Simplex
from .parameters import Parameters, Theta
from .past import PastTrial, past_trials
from .pictures import Strip
from .registration import register, register_built_in
from .results import Outcome, Progress, Result
from .seeds import derive_seed
from .server import Server, serve
from .specification import Metric, Specification
from .vector import SimulatorVectorEnvironment

__all__ = [
    "Boolean",
    "Categorical",
    "ClosedError",
    "ConnectionLost",
    "Continuous",
    "Dimension",
    "Environment",
    "Evaluation",
    "EvaluationError",
    "Finalist",
    "ForkError",
    "Integer",
    "Metric",
    "Outcome",
    "ParameterError",
    "Parameters",
    "PastTrial",
    "Progress",
    "ProtocolError",
    "Result",
    "Server",
    "ServerError",
    "Simplex",
    "SimulatorEnvironment",
    "SimulatorVectorEnvironment",
    "Specification",
    "Strip",
    "Theta",
    "connect",
    "connect_async",
    "derive_seed",
    "dimensions",
    "fetch_history",
    "finalists",
    "from_values",
    "nevergrad_parametrization",
    "optuna_distributions",
    "past_trials",
    "register",
    "serve",
    "suggest",
    "to_values",
]

register_built_in()
