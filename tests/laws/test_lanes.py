"""Replicas last in memory, held to replicas first: the same numbers up to the order of sums, and one order of
sums for a replica alone, in any batch, and after others have left it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.accumulated_backprop import AccumulatedBackprop
from algorithms.backprop import Backprop
from harness.cells.settings import Settings, resolve
from harness.core import registry
from harness.core.algorithm import Batch, Credit
from harness.core.edges import Edge, Group
from harness.core.exact_gradient import exact_gradient
from harness.core.lanes import Lanes, laid
from harness.core.network import Network
from harness.core.readings import read_by
from harness.credit.altered import Count
from harness.tasks.encoder import Encoder
from harness.tasks.family_tree import FamilyTree
from harness.tasks.xor import Xor
from harness.training.layout import replicas_last
from harness.training.plan import Plan
from harness.training.train import train
from harness.training.trained import Trained
from helpers.delayed_xor import DelayedXor

quick = settings(deadline=None, derandomize=True, max_examples=60)
WALKERS = (
    "accumulated_backprop",
    "backprop",
    "checkpointed_backprop",
    "direct_feedback_alignment",
    "direct_random_target_projection",
    "feedback_alignment",
    "kolen_pollack",
    "mono_forward",
    "predictive_coding",
    "shallow",
    "sign_symmetry",
)
"""Rules that do nothing with arrays but arithmetic, sums, and sending them over edges; Mono-Forward where it
has one hidden group, accumulated backprop where the patterns looked at are one micro-batch."""


def resolved(algorithm: Any, task: Any, **run: Any) -> tuple[Any, Any, Plan]:
    rule, where, how = resolve(algorithm, task, Settings(**run))
    return rule, where, Plan.of(how)


def bits(trained: Trained) -> list[bytes]:
    columns = [trained.outcome.tolist(), trained.epochs, trained.loss, trained.right, trained.held_right]
    arrays = [np.asarray(each).tobytes() for each in columns[1:]]
    curves = [trained.loss_curve.tobytes(), trained.right_curve.tobytes()]
    return [repr(columns[0]).encode(), *arrays, *curves, *(w.tobytes() for w in trained.weights.values())]


@quick
@given(
    st.tuples(*[st.integers(1, 7)] * 5),
    st.integers(2, 9),
    st.sampled_from(["float64", "float32"]),
    st.integers(0, 99),
)
def test_the_three_maps_of_an_edge_are_those_of_replicas_first(
    sizes: tuple[int, ...], replicas: int, dtype: str, seed: int
) -> None:
    n, rows, columns, *_ = sizes
    edge = Edge(Group("a", rows), Group("b", columns))
    draw = np.random.default_rng(seed)
    w, y, blame = (
        draw.normal(size=(replicas, *shape)).astype(dtype)
        for shape in ((rows, columns), (n, rows), (n, columns))
    )
    near = 1e-13 if dtype == "float64" else 1e-5
    lanes = Lanes()
    for made, expected in (
        (lanes.send(edge, laid(w), laid(y)), y @ w),
        (lanes.send(edge, laid(w), y[:1]), y[:1] @ w),
        (lanes.back(edge, laid(w), laid(blame)), blame @ w.mT),
        (lanes.outer(edge, laid(y), laid(blame)), y.mT @ blame),
    ):
        np.testing.assert_allclose(made, expected, rtol=near, atol=near)
        assert made.dtype == expected.dtype
        if rows * columns > 1 and made.size > len(made):
            assert made.strides[0] == made.itemsize, "replicas are no longer last in memory"


@quick
@given(st.lists(st.integers(1, 6), min_size=2, max_size=4), st.integers(1, 9), st.integers(3, 9), st.data())
def test_the_gradient_is_that_of_replicas_first_and_of_any_two(
    sizes: list[int], n: int, replicas: int, data: st.DataObject
) -> None:
    """Of layers of one unit and batches of one pattern, too."""
    net, draw = Network.chain(*sizes), np.random.default_rng(data.draw(st.integers(0, 99)))
    params = {key: draw.normal(size=(replicas, *shape)) for key, shape in net.shapes.items()}
    x, wanted = draw.normal(size=(1, n, sizes[0])), draw.random((1, n, sizes[-1])) > 0.5
    batch = Batch(x, wanted.astype(float), wanted, 0)
    expected = exact_gradient(net, params, batch).gradient
    some = data.draw(st.lists(st.integers(0, replicas - 1), min_size=2, max_size=2, unique=True))
    with read_by(Lanes()):
        made = exact_gradient(net, {key: laid(w) for key, w in params.items()}, batch)
        two = exact_gradient(net, {key: laid(w[some]) for key, w in params.items()}, batch)
        costs = batch.cost(made.output), batch.cost(two.output)
    assert costs[0][some].tobytes() == costs[1].tobytes()
    for key in expected:
        np.testing.assert_allclose(made.gradient[key], expected[key], rtol=1e-11, atol=1e-13)
        assert made.gradient[key][some].tobytes() == two.gradient[key].tobytes()


@pytest.mark.parametrize("name", WALKERS)
@pytest.mark.parametrize(
    ("task", "run"),
    [
        (Xor(), {"epochs": 300}),
        (Xor(), {"epochs": 60, "batch": 1}),
        (Xor(), {"epochs": 60, "dtype": "float32"}),
        (Encoder(), {"epochs": 25}),
        (Count(hidden=(4,), margin=0.45), {"epochs": 25}),
    ],
    ids=["xor", "online", "float32", "encoder", "two hidden groups"],
)
def test_a_replica_has_the_bits_that_it_has_alone(name: str, task: Any, run: dict[str, Any]) -> None:
    """Some finish early, so that the batch shrinks to a few, to two and to one."""
    rule, where, plan = resolved(registry.algorithms()[name](), task, replicas=8, seed=2, **run)
    assert replicas_last(rule, where, plan)
    whole = train(rule, where, plan, range(8))
    for some in ([0], [3], [7], [1, 6], [4, 2, 5], [5, 4, 3, 2, 1]):
        assert bits(train(rule, where, plan, some)) == bits(whole.rows(np.array(some)))


def test_seconds_of_one_alone_are_all_its_own() -> None:
    rule, where, plan = resolved(Backprop(), Xor(), epochs=40)
    one = train(rule, where, plan, [3])
    assert len(one.replica) == len(one.seconds) == 1
    assert one.seconds[0] > 0


@pytest.mark.parametrize("name", registry.algorithms())
def test_the_layout_is_for_rules_that_walk_over_edges(name: str) -> None:
    kind = registry.algorithms()[name]
    if reason := kind().refusal(Xor()):
        assert name not in WALKERS, reason
        return
    assert replicas_last(*resolved(kind(), Xor())) is (name in WALKERS)


def test_the_layout_is_for_narrow_networks_without_time() -> None:
    assert not replicas_last(*resolved(Backprop(), FamilyTree()))
    assert replicas_last(*resolved(Backprop(), Encoder()))
    timed = resolved(Backprop(), DelayedXor())
    assert bits(train(*timed[:2], timed[2]._replace(epochs=4), [1])) == bits(
        train(*timed[:2], timed[2]._replace(epochs=4), range(3)).rows(np.array([1]))
    )


@dataclass(frozen=True)
class Multiplying(Backprop):
    """The same gradient, with a product of its own."""

    traits: ClassVar[Any] = Backprop.traits

    def credit(self, net: Any, params: Any, memory: Any, batch: Any, rand: Any) -> Any:
        gradient, y = super().credit(net, params, memory, batch, rand)
        return Credit({key: np.eye(g.shape[-2]) @ g for key, g in gradient.items()}, y)


@dataclass(frozen=True)
class Shaping(Backprop):
    """The same gradient, through one vector."""

    def credit(self, net: Any, params: Any, memory: Any, batch: Any, rand: Any) -> Any:
        gradient, y = super().credit(net, params, memory, batch, rand)
        return Credit({key: g.reshape(*g.shape[:-2], -1).reshape(g.shape) for key, g in gradient.items()}, y)


@dataclass(frozen=True)
class Drawing(Backprop):
    """The same gradient, and noise."""

    def credit(self, net: Any, params: Any, memory: Any, batch: Any, rand: Any) -> Any:
        gradient, y = super().credit(net, params, memory, batch, rand)
        return Credit({key: g + 1e-9 * rand.normal(*g.shape[-2:]) for key, g in gradient.items()}, y)


def test_accumulated_backprop_has_replicas_first_where_it_cuts_what_is_looked_at() -> None:
    """Cutting a batch up takes another shape. Where micro-batches hold as many patterns as are looked at, it
    has replicas last, and a replica alone has its bits all the same."""
    for micro in (1, 2):
        assert not replicas_last(*resolved(AccumulatedBackprop(micro=micro), Encoder()))
    for micro in (3, 5):
        run = resolved(AccumulatedBackprop(micro=micro), Encoder(), replicas=4, seed=2, epochs=25)
        assert replicas_last(*run)
        whole = train(*run, range(4))
        for some in ([0], [3], [1, 2]):
            assert bits(train(*run, some)) == bits(whole.rows(np.array(some)))


@pytest.mark.parametrize("kind", [Multiplying, Shaping, Drawing])
def test_rules_that_do_more_have_replicas_first(kind: type[Backprop]) -> None:
    assert not replicas_last(*resolved(kind(), Xor()))


def test_the_network_is_what_counts_and_not_the_number_of_replicas() -> None:
    for replicas in (1, 2, 1000):
        assert replicas_last(*resolved(Backprop(), Xor(), replicas=replicas))
