"""Shared weights in other readings: counts held to closed forms, compiled updates to interpreted ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from algorithms.backprop import Backprop
from algorithms.checkpointed_backprop import CheckpointedBackprop
from algorithms.finite_differences import FiniteDifferences
from harness.cells.cell import Cell
from harness.core import registry
from harness.core.algorithm import Batch
from harness.core.convolution import Convolution
from harness.core.data import Data, Patterns, Spec
from harness.core.edges import Edge
from harness.core.optimisers import GradientDescent
from harness.core.rand import NORMAL, UNIFORM
from harness.core.tree import leaves
from harness.cost.growth import exponent
from harness.cost.sheet import CostSheet, sheet
from harness.experiment.run import Settings, resolve, run
from harness.training.trainer import Plan, Trainer
from helpers.kinds import KINDS, Images

Array = Any
PLAIN = GradientDescent(decay=0.0)
UNPOLISHED = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
}  # compiled in half the time
TRAINED = [name for name, kind in registry.algorithms().items() if not kind().refusal(Images())]
every_kind = pytest.mark.parametrize("kind", KINDS)


@dataclass(frozen=True)
class Many(Images):
    """As many images as one likes."""

    count: int = 9

    def spec(self) -> Spec:
        return Spec(self.count, kind="labels")

    def patterns(self) -> Patterns:
        x = np.random.default_rng(5).random((self.count, 16))
        return Patterns(x, np.eye(3)[np.arange(self.count) % 3] > 0, ("",) * self.count)


def cost_of(algorithm: Any, task: Any) -> CostSheet:
    return sheet(Cell(*resolve(algorithm, task, Settings(replicas=1))))


def products(edge: Edge) -> int:
    """Multiply-adds of a pattern: places × rows × channels, whichever way."""
    rows, columns = edge.shape
    places = edge.target.size // edge.target.channels if type(edge) is Convolution else 1
    assert edge.times.max() == places
    return places * rows * columns


def seen_at_most(edge: Edge) -> int:
    """Of how many places a unit of a padded or strided source is seen, at most: counted one by one."""
    if not isinstance(edge, Convolution):
        return 1
    height, width, _ = edge.source.shape  # type: ignore[misc]
    rows, columns, _ = edge.target.shape  # type: ignore[misc]
    seen = np.zeros((height + 2 * edge.padding, width + 2 * edge.padding), int)
    for i in range(0, rows * edge.stride, edge.stride):
        for j in range(0, columns * edge.stride, edge.stride):
            seen[i : i + edge.kernel[0], j : j + edge.kernel[1]] += 1
    inside = seen[edge.padding : edge.padding + height, edge.padding : edge.padding + width]
    return int(inside.max())


@every_kind
def test_shared_networks_cost_their_closed_forms(kind: str) -> None:
    """Cross-entropy of softmax outputs, sigmoid hidden units; n patterns.

    Forward: a product for every place; a sum for the bias; minus, plus, over and exp for a sigmoid. Softmax
    of k: largest and sum are k − 1 each, minus and over k, exp k. Back: y − d; (1 − y) y · blame; blame and
    outer products; what a unit is told by all places that see it; biases over patterns and places; ties are
    sums of credits; v = αv − εg, w + v.
    """
    task = Images(kind=kind, loss="cross_entropy")
    net, n, s = task.network(), 9, cost_of(Backprop(PLAIN), task)
    hidden, k = sum(g.size for g in net.hidden), 3
    joins = sum((len(net.into(g)) - 1) * g.size for g in net.free)
    assert s.forward.multiply_adds == n * sum(map(products, net.edges))
    assert s.forward.flops["element-wise"] == n * (joins + 4 * hidden + 3 * k)
    assert s.forward.flops["transcendental"] == n * (hidden + k)
    assert s.forward.flops["reduction"] == n * 2 * (k - 1)
    back = [e for e in net.edges if e.source in net.hidden]
    assert s.update.multiply_adds == n * (2 * sum(map(products, net.edges)) + sum(map(products, back)))
    tied = sum(e.shape[0] * e.shape[1] for e in net.edges if e.weights is not e)
    assert (
        s.update.flops["element-wise"]
        == s.forward.flops["element-wise"] + n * (k + 3 * hidden) + tied + 4 * net.size
    )
    assert s.update.flops["transcendental"] == s.forward.flops["transcendental"]
    told = n * sum((seen_at_most(e) - 1) * e.source.size for e in back)
    biases = sum((n * g.size // g.channels - 1) * g.channels for g in net.free)
    assert s.update.flops["reduction"] == s.forward.flops["reduction"] + told + biases
    assert s.state_bytes == 2 * 8 * net.size, "weights and velocities"


@every_kind
def test_differences_and_a_second_forward_pass_cost_theirs(kind: str) -> None:
    """Two forward passes a weight; of one segment, checkpoints recompute all but the last hidden group."""
    task = Images(kind=kind)
    net, forward = task.network(), cost_of(Backprop(PLAIN), task)
    found = cost_of(FiniteDifferences(), task).update.flops["contraction"]
    assert found == pytest.approx(2 * net.size * forward.forward.flops["contraction"])
    again = cost_of(CheckpointedBackprop(PLAIN, segment=len(net.hidden)), task).update.multiply_adds
    recomputed = [e for g in net.hidden[:-1] for e in net.into(g)]
    assert again == forward.update.multiply_adds + 9 * sum(map(products, recomputed))


def test_workspace_is_that_of_the_patches() -> None:
    """∝ patterns; at least what the widest convolution sees, 16 places × 9 offsets of 2 channels."""
    many = (200, 400, 800)
    peaks = [cost_of(Backprop(), Many(kind="mixed", count=n)).peak_bytes for n in many]
    assert exponent(many, peaks) == pytest.approx(1, abs=0.05)
    net = Images(kind="mixed").network()
    assert max(e.workspace for e in net.edges) == 16 * 9 * 2
    assert net.workspace == 16 * 9 * 2 + 16 + 3 * 32 + 8 + 3
    assert 8 * 800 * 16 * 9 * 2 < peaks[-1] < 8 * 800 * 6 * net.workspace


@pytest.mark.parametrize("name", TRAINED)
def test_every_rule_is_counted_on_shared_weights(name: str) -> None:
    s = cost_of(registry.algorithms()[name](), Images(kind="mixed"))
    assert s.update.work > 0


def test_a_compiled_run_on_shared_weights_comes_to_the_same_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """By mini-batches in the same orders: outcomes and epochs the same, losses to rounding."""
    pytest.importorskip("jax", reason="JAX is not installed: there is nothing to compile with")
    from harness.compiling import device

    monkeypatch.setattr(device, "QUICKER", UNPOLISHED)
    settings: dict[str, Any] = {"replicas": 6, "epochs": 12, "batch": 4}
    task = Images(kind="mixed", loss="cross_entropy")
    plain, compiled = (
        run(Backprop(), task, **settings, backend=backend).trained for backend in ("numpy", "jax")
    )
    assert compiled.ran["backend"] == "jax", compiled.ran
    np.testing.assert_array_equal(compiled.outcome, plain.outcome)
    np.testing.assert_array_equal(compiled.epochs, plain.epochs)
    np.testing.assert_allclose(compiled.loss, plain.loss, rtol=1e-8)


@pytest.mark.parametrize("kind", ["mixed", "tied"])
@pytest.mark.parametrize("name", TRAINED)
def test_a_compiled_update_is_the_interpreted_one(name: str, kind: str) -> None:
    """The same random numbers, the same new state, to rounding (which differences divide by their step)."""
    jax = pytest.importorskip("jax", reason="JAX is not installed: there is nothing to compile with")
    from harness.compiling.driver import program_of
    from harness.compiling.loops import TracedRand

    no_softmax = ("reinforce", "delta_rule", "equilibrium_propagation", "contrastive_hebbian", "generec")
    loss = "squared_error" if name in no_softmax else "cross_entropy"
    rule, task, _ = resolve(registry.algorithms()[name](), Images(kind=kind, loss=loss), Settings(replicas=2))
    ours, theirs = (Trainer(rule, task, Plan(0, 1, np.inf, 0, True, "float64"), range(2)) for _ in range(2))
    program = program_of(theirs)
    drawn = [
        theirs.noise.block(which, n).reshape(2, n)
        for which, n in zip((UNIFORM, NORMAL), program.each, strict=True)
    ]

    def update(state: list[Array], uniform: Array, normal: Array) -> list[Array]:
        kept = [program._laid(a) for a in state]
        # as a run hands them in: a loop may ask for a part of them by its number
        seen = Data(*(jax.numpy.asarray(a) for a in theirs.data[:3]))
        rand = TracedRand(program._laid(uniform), program._laid(normal), "float64", program.beside)
        return program._first(program._update(kept, seen, 0, rand)[0])

    with program._reading(2):
        lowered = jax.jit(update).lower([a for _, a in leaves(theirs.state)], *drawn)
        new = lowered.compile(compiler_options=UNPOLISHED)([a for _, a in leaves(theirs.state)], *drawn)
    batch = Batch.of(ours.data, np.zeros(()), task.objective)
    expected = rule.update(ours.net, ours.state, batch, ours.noise).state
    for (part, a), b in zip(leaves(expected), new, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-7, atol=1e-7 * max(1.0, np.abs(a).max()), err_msg=part)
