"""Many estimates of one gradient, and how far their mean is from the truth in standard errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from algorithms.weight_perturbation import Spsa
from harness.core.rand import NOISE, Rand
from helpers.problems import Problem

N = 20_000


def estimates(algorithm: Any, p: Problem, n: int = N, seed: int = 0) -> np.ndarray:
    """n estimates of the gradient at the same weights (n, W), in the order of `net.shapes`."""
    params = {k: np.broadcast_to(w, (n, *w.shape)) for k, w in p.params.items()}
    rand = Rand(seed, range(n), NOISE)
    if isinstance(algorithm, Spsa):
        found = algorithm.estimate(p.net, params, p.batch, rand, np.full((n, 1, 1), 1e-3))
    else:
        memory = algorithm.remember(p.net, params, rand)
        found = algorithm.credit(p.net, params, memory, p.batch, rand).gradient
    return np.concatenate([found[k].reshape(n, -1) for k in p.net.shapes], axis=1)


def off(samples: np.ndarray, truth: Any) -> float:
    """The largest distance of the mean of samples (n, …) from the truth, in standard errors."""
    sem = samples.std(axis=0, ddof=1) / math.sqrt(len(samples))
    return float(np.max(np.abs(samples.mean(axis=0) - truth) / sem))
