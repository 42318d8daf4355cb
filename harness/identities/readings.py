"""Rows on batches and readings: patterns add up, replicas stand alone, one source is read in three ways."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms._settling import Settling
from algorithms.backprop import Backprop
from algorithms.checkpointed_backprop import CheckpointedBackprop
from algorithms.contrastive_hebbian import ContrastiveHebbian, Generec
from algorithms.equilibrium_propagation import EquilibriumPropagation
from algorithms.feedback_alignment import (
    DirectFeedbackAlignment,
    DirectRandomTargetProjection,
    FeedbackAlignment,
)
from algorithms.finite_differences import FiniteDifferences
from algorithms.mean_field import MeanField
from algorithms.predictive_coding import PredictiveCoding
from algorithms.shallow import Shallow
from algorithms.sign_symmetry import SignSymmetry
from algorithms.target_propagation import TargetPropagation
from algorithms.weight_mirror import KolenPollack, WeightMirror
from harness.core import registry
from harness.core.algorithm import Algorithm
from harness.core.batch import Batch
from harness.core.identity import CHAIN, USUAL, Identity, Problem
from harness.core.initial import initial
from harness.core.lanes import Lanes, laid
from harness.core.network import Network
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, SPLIT, WEIGHTS, Rand
from harness.core.readings import Reading, read_by
from harness.core.riding import riding
from harness.core.task import Task
from harness.core.tree import tree_map
from harness.cost.arrays import Tracked
from harness.cost.ledger import Ledger
from harness.identities.written_out import ROUNDED
from harness.tasks.xor import Xor

Sides = tuple[Any, Any]
OF_PATTERNS = (
    Backprop(),
    CheckpointedBackprop(),
    FeedbackAlignment(),
    DirectFeedbackAlignment(),
    DirectRandomTargetProjection(),
    SignSymmetry(),
    KolenPollack(),
    WeightMirror(),
    Shallow(),
    FiniteDifferences(scheme="complex"),
    EquilibriumPropagation(tolerance=0),
    ContrastiveHebbian(tolerance=0),
    Generec(tolerance=0),
    PredictiveCoding(),
    TargetPropagation(),
)
"""Rules whose credit is a sum over patterns; those that settle do where they take all their steps."""


def some(p: Problem, which: Any) -> Problem:
    """The problem with some of its patterns."""
    shown = {name: getattr(p.batch, name)[..., which, :] for name in ("x", "target", "wanted")}
    return p._replace(batch=p.batch._replace(**shown))


def by_pattern(p: Problem, rule: Any) -> Sides:
    """The credit of all patterns, and the sum of that of each."""
    state = rule.init(p.net, p.params, p.rand)

    def credit(q: Problem) -> Any:
        return rule.credit(q.net, state["params"], state["memory"], q.batch, q.rand)[0]

    each = [credit(some(p, [i])) for i in range(p.batch.x.shape[-2])]
    whole = credit(p)
    return whole, {k: sum(c[k] for c in each) for k in whole}


def of_patterns(rule: Any) -> Identity:
    """A rule's credit is a sum over patterns."""
    return Identity(
        f"patterns_of_{rule.name}",
        "exact",
        f"{rule.name} of all patterns is the sum of {rule.name} of each",
        "algebra: E is a sum over patterns",
        lambda p: by_pattern(p, rule),
        within=ROUNDED if isinstance(rule, Settling) else 1e-12,
    )


def everyone() -> list[tuple[Algorithm, Network, Task]]:
    """Each shipped rule that can do XOR, with all its settings, and its network and task."""
    found: list[tuple[Algorithm, Network, Task]] = []
    on = Xor()
    for name, kind in registry.algorithms().items():
        if kind.__module__.startswith("algorithms.") and not kind().refusal(on):
            rule = kind(population=10) if name == "genetic" else kind()  # type: ignore[call-arg]  # 150 take long
            found.append((rule.resolved(on.usual), on.network(), on))
    return found


def trained(rule: Algorithm, net: Network, on: Task, seed: int, replicas: list[int]) -> dict[Any, Any]:
    """The weights of some replicas after two updates on all patterns of a task."""
    weights, split, rand = (Rand(seed, replicas, purpose) for purpose in (WEIGHTS, SPLIT, NOISE))
    batch = Batch.of(on.data(split, float), np.zeros(()), on.objective)
    state = rule.init(net, initial(net, weights, "uniform", 0.5), rand)
    for _ in range(2):
        state = rule.update(net, state, batch, rand).state
    return dict(state["params"])


def alone(p: Problem) -> Sides:
    """Every rule's replica 2 of four, and by itself."""
    together, single = {}, {}
    for rule, net, on in everyone():
        crowd, hermit = (trained(rule, net, on, p.seed, some) for some in ([0, 1, 2, 3], [2]))
        together[rule.name] = {k: w[2] for k, w in crowd.items()}
        single[rule.name] = {k: w[0] for k, w in hermit.items()}
    return together, single


def fused(p: Problem) -> Sides:
    """Cells of two rates in one batch, and each by itself."""
    p = p.many(4)
    rules = [Backprop(GradientDescent(lr, 0.9, 0.0)) for lr in (0.1, 0.4)]
    ridden = riding(rules, ["optimiser.lr"], np.array([0, 1, 0, 1]))
    state = ridden.init(p.net, p.params, p.rand)
    for _ in range(5):
        state = ridden.update(p.net, state, p.batch, p.rand).state
    each = [p.after(rule, 5)["params"] for rule in rules]
    return state["params"], {k: np.stack([each[i % 2][k][i] for i in range(4)]) for k in p.params}


def in_lanes(p: Problem) -> Sides:
    """Backprop with replicas last in memory, and as usual."""
    p = p.many(8)
    with read_by(Lanes()):
        narrow = p._replace(params={k: laid(w) for k, w in p.params.items()}).credit(Backprop())
    return narrow, p.credit(Backprop())


def counted(p: Problem, rule: Algorithm) -> Sides:
    """An update by arrays that count, and by NumPy's."""
    rule, ledger = rule.resolved(USUAL), Ledger()
    state = rule.init(p.net, p.params, p.rand)

    def seen(a: Any) -> Tracked:
        return Tracked(a, ledger)

    shown = p.batch._replace(x=seen(p.batch.x), target=seen(p.batch.target), wanted=seen(p.batch.wanted))
    with read_by(Reading()):
        params = rule.update(p.net, tree_map(seen, state), shown, p.rand).state["params"]
    found = {k: w.values if isinstance(w, Tracked) else w for k, w in params.items()}
    return found, rule.update(p.net, state, p.batch, p.rand).state["params"]


def compiled(p: Problem, rule: Algorithm) -> Sides:
    """An update compiled by XLA, and by NumPy."""
    import jax

    from harness.compiling.arrays import trace, values
    from harness.compiling.device import precision
    from harness.compiling.loops import Compiled

    rule = rule.resolved(USUAL)
    state = rule.init(p.net, p.params, p.rand)
    keys = list(state["params"])

    def update(params: list[Any], x: Any, target: Any, wanted: Any) -> Any:
        x, target, wanted = (trace(a) for a in (x, target, wanted))
        batch = p.batch._replace(x=x, target=target, wanted=wanted)
        now = {**state, "params": dict(zip(keys, map(trace, params), strict=True))}
        with read_by(Compiled()):
            new = rule.update(p.net, now, batch, p.rand).state["params"]
        return [values(new[k]) for k in keys]

    with precision("cpu"):
        found = jax.jit(update)([state["params"][k] for k in keys], *p.batch[:3])
    done = {k: np.asarray(w) for k, w in zip(keys, found, strict=True)}
    return done, rule.update(p.net, state, p.batch, p.rand).state["params"]


def on_bits(p: Problem) -> Problem:
    """The problem with bits as inputs."""
    return p._replace(batch=p.batch._replace(x=(p.batch.x > 0).astype(float)))


def twice(p: Problem) -> Sides:
    """Backprop of every pattern shown twice, and twice backprop."""
    again = some(p, np.repeat(np.arange(p.batch.x.shape[-2]), 2)).credit(Backprop())
    return again, {k: 2 * g for k, g in p.credit(Backprop()).items()}


def counted_is_run(said: str, rule: Algorithm) -> Identity:
    """A rule's update is the same where it is counted."""
    return Identity(
        f"counted_{rule.name}",
        "exact",
        f"an update of {said} that is counted is the one that is run",
        "docs/three-readings.md",
        lambda p: counted(p, rule),
    )


def compiled_is_run(said: str, rule: Algorithm) -> Identity:
    """A rule's update is the same where it is compiled."""
    return Identity(
        f"compiled_{rule.name}",
        "exact",
        f"an update of {said} that is compiled is the interpreted one",
        "docs/three-readings.md",
        lambda p: compiled(p, rule),
        needs="jax",
    )


MEANS = MeanField(times=(2, 4), temperatures=(2.0, 1.0))
STEP = GradientDescent(0.1, 0.9, 0.0)
RUN = {"backprop": Backprop(STEP), "predictive coding": PredictiveCoding(STEP)}
COUNTED = RUN | {
    "target propagation": TargetPropagation(STEP),
    "equilibrium propagation": EquilibriumPropagation(STEP, tolerance=0),  # it takes the most it may cost
}
COMPILED = RUN | {"equilibrium propagation": EquilibriumPropagation(STEP)}
BITS = CHAIN.chain(2, 3, 2)
ROWS = (
    *(of_patterns(rule) for rule in OF_PATTERNS),
    Identity(
        "patterns_twice", "exact", "backprop of every pattern twice is twice backprop", "algebra", twice
    ),
    Identity(
        "alone_in_a_batch",
        "exact",
        "a replica of any rule has the same weights alone and in a batch",
        "docs/design.md",
        alone,
        within=0,
    ),
    Identity(
        "fused_cells",
        "exact",
        "cells that differ in their rates learn the same in one batch and each by itself",
        "docs/running.md",
        fused,
        within=0,
    ),
    Identity(
        "lanes",
        "exact",
        "backprop is the same where replicas are last in memory",
        "docs/three-readings.md",
        in_lanes,
    ),
    *(counted_is_run(said, rule) for said, rule in COUNTED.items()),
    Identity(
        "counted_mean_field",
        "exact",
        "an update of mean field that is counted is the one that is run",
        "docs/three-readings.md",
        lambda p: counted(on_bits(p), MEANS),
        nets=(BITS,),
    ),
    *(compiled_is_run(said, rule) for said, rule in COMPILED.items()),
    Identity(
        "compiled_mean_field",
        "exact",
        "an update of mean field that is compiled, loops included, is the interpreted one",
        "docs/three-readings.md",
        lambda p: compiled(on_bits(p), MEANS),
        nets=(BITS,),
        needs="jax",
    ),
)
