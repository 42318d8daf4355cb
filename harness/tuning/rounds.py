"""Which settings to try: spread evenly at first, then near those that did well.

Both are functions of what was tried, and of nothing else: a search that was killed asks for the same
settings again, and finds the records of those it had run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.tuning.space import Span, Values

Space = Mapping[str, Span]


def spread_out(space: Space, count: int, seed: int) -> list[dict[str, float]]:
    """Settings that fill a space evenly: the first points of a scrambled Sobol sequence.

    Joe & Kuo 2008, SIAM J. Sci. Comput. 30:2635-2654; Owen 1998, J. Complexity 14:466-489.
    """
    from scipy.stats import qmc

    points = qmc.Sobol(len(space), rng=np.random.default_rng(seed)).random_base2(
        (max(count, 1) - 1).bit_length()
    )
    return [_at(space, point) for point in points[:count]]


def proposed(space: Space, best_first: Sequence[Values], count: int, seed: int) -> list[dict[str, float]]:
    """Settings that look better than most of what was tried, by a tree-structured Parzen estimator.

    Bergstra, Bardenet, Bengio & Kégl 2011, NIPS 24:2546-2554, as Optuna has it; all at once, each beside
    those proposed before it. It is told in which order they stand: Optuna takes a cost that is no number for
    a failure and forgets it, and one that is ∞ is as good as another.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    along: dict[str, optuna.distributions.BaseDistribution] = {
        name: optuna.distributions.FloatDistribution(0.0, 1.0) for name in space
    }
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=0, multivariate=True, constant_liar=True)
    study = optuna.create_study(sampler=sampler)
    for place, values in enumerate(best_first):
        shares = {name: float(np.clip(span.where(values[name]), 0, 1)) for name, span in space.items()}
        study.add_trial(optuna.create_trial(params=shares, distributions=along, value=float(place)))
    asked = [study.ask(along).params for _ in range(count)]
    return [_at(space, [shares[name] for name in space]) for shares in asked]


def _at(space: Space, point: Sequence[float]) -> dict[str, float]:
    return {name: span.at(float(u)) for (name, span), u in zip(space.items(), point, strict=True)}
