"""Checkpointed backprop held to backprop bit for bit, to one more forward pass of what it recomputes, and to
its bytes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from algorithms.checkpointed_backprop import CheckpointedBackprop
from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.compiling.driver import refusal
from harness.core import registry
from harness.core.algorithm import Algorithm, Batch
from harness.core.data import Patterns, Usual
from harness.core.errors import InputError
from harness.core.network import Edge, Group, Network
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, Rand
from harness.core.task import Task
from harness.cost.sheet import CostSheet, sheet
from harness.credit.altered import Count
from harness.credit.traits import observe
from harness.experiment.run import run
from harness.tasks.deep_chain import DeepChain
from harness.tasks.xor import Xor

quick = settings(deadline=None, derandomize=True, max_examples=150)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """1-2 inputs and 0-7 hidden groups that hear a random choice of those before them, with residuals and
    normalised or not; some groups send nothing on."""
    groups = [
        Group(f"in{i}", draw(st.integers(1, 3)), "linear", bias=False) for i in range(draw(st.integers(1, 2)))
    ]
    inputs, edges = len(groups), []
    count = draw(st.integers(0, 7))
    for i in range(count + 1):
        kind = draw(st.sampled_from(["sigmoid", "tanh", "relu"]))
        group = Group(f"hidden{i}" if i < count else "out", 3, kind, draw(st.booleans()))
        near = st.just([groups[-1]])
        edges += [
            Edge(s, group)
            for s in draw(near | st.lists(st.sampled_from(groups), min_size=1, max_size=3, unique=True))
        ]
        groups.append(group)
    pairs = [(a, b) for i, b in enumerate(groups[inputs:-1]) for a in groups[inputs : inputs + i]]
    residuals = draw(st.lists(st.sampled_from(pairs), max_size=4, unique=True)) if pairs else []
    return Network(tuple(groups), tuple(edges), tuple(residuals), draw(st.booleans()))


def credit(algorithm: Any, net: Network, dtype: str = "float64", replicas: int = 2, patterns: int = 5) -> Any:
    rng = np.random.default_rng(0)
    params = {k: rng.normal(size=(replicas, *shape)).astype(dtype) for k, shape in net.shapes.items()}
    x, target = (rng.random((patterns, n)).astype(dtype) for n in (net.input_size, net.output.size))
    return algorithm.credit(net, params, {}, Batch(x, target, target > 0.5, 0), Rand(0, [0], NOISE))


def assert_same_bits(net: Network, segment: int | None, **some: Any) -> None:
    found, expected = (
        credit(CheckpointedBackprop(segment=segment), net, **some),
        credit(Backprop(), net, **some),
    )
    assert found.output.tobytes() == expected.output.tobytes()
    assert found.gradient.keys() == expected.gradient.keys()
    for key, value in expected.gradient.items():
        assert found.gradient[key].dtype == value.dtype
        assert found.gradient[key].tobytes() == value.tobytes(), key


# The same bits as backprop


@quick
@given(net=networks(), dtype=st.sampled_from(["float64", "float32"]))
def test_it_is_backprop_bit_for_bit_in_any_network_at_every_length_of_segments(
    net: Network, dtype: str
) -> None:
    for segment in (None, *range(1, len(net.hidden) + 2)):
        assert_same_bits(net, segment, dtype=dtype)


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 5, 9])
def test_it_is_backprop_on_chains(depth: int, residual: bool, normalised: bool) -> None:
    net = Network.chain(3, *[4] * depth, 2, shortcut=True, residual=residual, normalised=normalised)
    for segment in range(1, depth + 1):
        assert_same_bits(net, segment)


@pytest.mark.parametrize("task", ["xor", "family_tree", "deep_chain", "digits"])
def test_it_trains_the_weights_that_backprop_trains(task: str) -> None:
    known = registry.tasks()[task]
    made = (
        known(depth=6, residual=True)
        if task == "deep_chain"
        else known(layers=3)
        if task == "digits"
        else known()
    )
    options = {"replicas": 2, "epochs": 2 if task == "digits" else 10}
    expected = run(Backprop(), made, **options).trained
    for segment in (None, 2):
        found = run(CheckpointedBackprop(segment=segment), made, **options).trained
        assert found.loss_curve.tobytes() == expected.loss_curve.tobytes()
        for key, value in expected.weights.items():
            assert found.weights[key].tobytes() == value.tobytes()


# Its work is backprop's and one more forward pass of what it recomputes


def task_of(net: Network, patterns: int) -> Task:
    """A task with this network and that many made-up patterns."""
    rng = np.random.default_rng(0)

    class Made(Task):
        usual = Usual(lr=0.1, momentum=0.9, scale=0.5, epochs=10)

        def network(self) -> Network:
            return net

        def patterns(self) -> Patterns:
            wanted = rng.random((patterns, net.output.size)) < 0.5
            return Patterns(rng.random((patterns, net.input_size)), wanted, ("",) * patterns)

    return Made()


def cost_of(algorithm: Algorithm, net: Network, patterns: int) -> CostSheet:
    return sheet(Cell(*resolve(algorithm, task_of(net, patterns), Settings(replicas=1))))


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=9),
    segment=st.integers(1, 8),
    patterns=st.integers(1, 5),
)
def test_its_work_is_backprops_and_that_of_the_groups_within_segments(
    sizes: list[int], segment: int, patterns: int
) -> None:
    """Hidden group l of L is recomputed unless l is a multiple of s, or L: x = y w + b and y = 1/(1 +
    exp(−x)) once more."""
    net, depth = Network.chain(*sizes), len(sizes) - 2
    ours, theirs = (
        cost_of(a, net, patterns)
        for a in (
            CheckpointedBackprop(GradientDescent(decay=0.0), segment),
            Backprop(GradientDescent(decay=0.0)),
        )
    )
    again = [(sizes[at - 1], sizes[at]) for at in range(1, depth + 1) if at % segment and at != depth]
    units = sum(b for _, b in again)
    more = {
        "contraction": 2 * sum(a * b for a, b in again),
        "element-wise": (1 + 3) * units,
        "transcendental": units,
    }
    for kind in ("contraction", "element-wise", "transcendental", "reduction", "comparison"):
        assert ours.update.flops[kind] - theirs.update.flops[kind] == patterns * more.get(kind, 0), kind
    assert ours.predict.flops == theirs.predict.flops
    assert ours.update.span == theirs.update.span, (
        "a machine that is parallel enough recomputes while it waits for blame"
    )


@pytest.mark.parametrize("depth", [2, 5, 16])
def test_equal_layers_are_recomputed_but_for_one_in_each_segment(depth: int) -> None:
    """L − ⌈L / s⌉ of L; None is the least s with s² ≥ L: 2 of 2, 3 of 5, 4 of 16 layers."""
    net = Network.chain(*[6] * (depth + 1), 2)
    layer = 4 * (2 * 6 * 6 + 6 + 3 * 6 + 6)
    plain = cost_of(Backprop(), net, 4).update.work
    for segment in (None, *range(1, depth + 2)):
        length = segment or {2: 2, 5: 3, 16: 4}[depth]
        recomputed = depth - math.ceil(depth / length)
        assert (
            cost_of(CheckpointedBackprop(segment=segment), net, 4).update.work - plain == recomputed * layer
        ), segment


def test_what_a_shortcut_carries_beyond_its_segment_is_kept() -> None:
    """Of six layers in two segments, 1 to 3 and 4 to 6: a shortcut 1 → 3 changes nothing, 1 → 4 and 1 →
    output keep layer 1; a residual 1 → 2 changes nothing, 2 → 3 takes layer 2 to layer 4 and keeps it, and a
    residual chain keeps all."""
    chain = Network.chain(*[3] * 7, 2)
    names = {g.name: g for g in chain.groups}

    def recomputed(*edges: tuple[str, str], residuals: tuple[tuple[str, str], ...] = ()) -> float:
        net = Network(
            chain.groups,
            (*chain.edges, *(Edge(names[a], names[b]) for a, b in edges)),
            tuple((names[a], names[b]) for a, b in residuals),
        )
        ours, plain = (
            cost_of(a, net, 4).update.flops["transcendental"]
            for a in (CheckpointedBackprop(segment=3), Backprop())
        )
        return (ours - plain) / (4 * 3)

    assert recomputed() == 4
    assert recomputed(("hidden1", "hidden3")) == 4
    assert recomputed(("hidden1", "hidden4")) == 3
    assert recomputed(("hidden1", "output"), ("hidden5", "output")) == 2
    assert recomputed(residuals=(("hidden1", "hidden2"),)) == 4
    assert recomputed(residuals=(("hidden2", "hidden3"),)) == 3
    assert recomputed(residuals=tuple((f"hidden{i}", f"hidden{i + 1}") for i in range(1, 6))) == 0


# Its memory


PATTERNS, WIDTH = 4000, 8
ACTIVITY = 8 * PATTERNS * WIDTH  # bytes of what one group does, in float64: 256,000
IN_HAND = 3
"""Arrays of that size in a step: blame, two of 1 − y, y (1 − y), δ; the δ before stands where its y stood."""
SMALL = 0.3
"""Of an activity: the gradient of the 4,600 weights of the deepest network here; patterns outnumber them."""


def peak(algorithm: Algorithm, depth: int, **how: Any) -> float:
    """Of an update of 8-…-8-1, in activities of one group."""
    return cost_of(algorithm, Network.chain(*[WIDTH] * (depth + 1), 1, **how), PATTERNS).peak_bytes / ACTIVITY


@pytest.mark.parametrize("depth", [4, 16, 36])
@pytest.mark.parametrize("segment", [1, 2, 3, None, 100])
def test_its_peak_is_that_of_checkpoints_and_one_segment(depth: int, segment: int | None) -> None:
    """⌈L / s⌉ checkpoints, s − 1 activities between two of them, and what a step has in hand. After a last
    segment that is short one checkpoint is gone, but a blame has come: the same."""
    length = min(depth, segment or {4: 2, 16: 4, 36: 6}[depth])
    held = -(-depth // length) + length - 1
    found = peak(CheckpointedBackprop(segment=segment), depth)
    assert held < found < held + IN_HAND + SMALL


@pytest.mark.parametrize("depth", [4, 16])
def test_backprop_that_frees_holds_half_of_what_backprop_holds(depth: int) -> None:
    """Backprop: L activities and L blames at its end. One group a segment: L activities, and a step's in
    hand."""
    assert peak(Backprop(), depth) > 2 * depth
    assert peak(CheckpointedBackprop(segment=1), depth) < depth + IN_HAND + SMALL


def test_memory_grows_with_the_root_of_depth() -> None:
    """2 √L − 1 activities: four times the depth adds 2 √L of them, where backprop's 2 L grow by 6 L."""
    depths = (4, 16, 64)
    ours = [peak(CheckpointedBackprop(), d) for d in depths]
    theirs = [peak(Backprop(), d) for d in depths]
    for less, more, depth in zip(ours, ours[1:], depths, strict=False):
        assert more - less == pytest.approx(2 * depth**0.5, abs=0.5)
    for less, more, depth in zip(theirs, theirs[1:], depths, strict=False):
        assert more - less == pytest.approx(6 * depth, abs=0.5)


@pytest.mark.slow
def test_at_sixteen_layers_of_64_its_peak_is_below_half_of_backprops() -> None:
    """Whole peaks, nothing subtracted: at most 2 · 4 − 1 + 3 of 32 activities (262 kB each);
    gradient, steps and new weights (528 kB each) are made with either."""
    task = DeepChain(depth=16, width=64, bits=9)
    plain, freeing, ours = (
        sheet(Cell(*resolve(a, task, Settings(replicas=1, batch="full"))))
        for a in (Backprop(), CheckpointedBackprop(segment=1), CheckpointedBackprop())
    )
    assert ours.patterns == 512
    assert ours.peak_bytes < plain.peak_bytes / 2
    assert ours.peak_bytes < freeing.peak_bytes


def test_a_residual_chain_keeps_all_activities_and_blames_but_not_at_once() -> None:
    """Every group is heard by all behind it, so blames stay; an activity goes when its blame is there.
    Normalised, both stay."""
    assert (
        peak(CheckpointedBackprop(), 16, residual=True) < 16 + IN_HAND + SMALL + 2
    )  # sums of activities, and of blame, in hand
    assert peak(CheckpointedBackprop(), 16, residual=True, normalised=True) > 2 * 16


# The other readings, and its words


def test_it_compiles() -> None:
    """Its recomputation must not keep it from the compiled reading, on chains and with residuals."""
    for task in ({"name": "xor"}, {"name": "deep_chain", "depth": 5, "residual": True}):
        assert refusal(Cell.of({"name": "checkpointed_backprop", "segment": 2}, task, {})) == ""


def test_compiled_it_takes_backprops_steps() -> None:
    task, options = DeepChain(depth=5), {"replicas": 2, "epochs": 5, "backend": "jax"}
    ours, theirs = (run(a, task, **options).trained for a in (CheckpointedBackprop(segment=2), Backprop()))
    for key, value in theirs.weights.items():
        np.testing.assert_allclose(ours.weights[key], value, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("segment", "passes"), [(1, 1), (2, 2), (5, 2), (None, 2)])
def test_two_passes_unless_all_is_kept(segment: int | None, passes: int) -> None:
    assert (
        observe(CheckpointedBackprop(segment=segment), Count(hidden=(4, 3, 4, 3, 4))).phases.value == passes
    )


@pytest.mark.parametrize("segment", [0, -1, 1.5, True])
def test_a_segment_is_a_whole_number_of_groups(segment: Any) -> None:
    with pytest.raises(InputError, match="segment must be a whole number"):
        CheckpointedBackprop(segment=segment)


def test_no_hidden_group_is_no_segment() -> None:
    assert_same_bits(Network.chain(3, 2), None)
    assert run(CheckpointedBackprop(), Xor(hidden=1), replicas=2, epochs=2).trained.epochs.tolist() == [2, 2]
