"""Held to the adjoint law, differences and dense expansions: every kind of edge, alone and in networks of
mixed kinds."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.algorithm import Batch
from harness.core.convolution import Convolution, Local, map_size
from harness.core.differences import differences
from harness.core.edges import Edge, Group
from harness.core.errors import InputError
from harness.core.exact_gradient import exact_gradient
from harness.core.losses import CrossEntropy, SquaredError
from harness.core.network import Network
from harness.core.paired import Paired

Array = Any


@st.composite
def edges(draw: Any) -> Edge:
    """An edge of any kind and size."""
    number = st.integers(1, 4)
    if draw(st.booleans()):
        return Edge(Group("a", draw(number)), Group("b", draw(number)))
    if draw(st.integers(0, 3)) == 0:
        size = draw(number)
        return Paired(Group("a", size), Group("b", size))
    kind = draw(st.sampled_from([Convolution, Local]))
    kernel, stride, padding = (draw(number), draw(number)), draw(st.integers(1, 3)), draw(st.integers(0, 2))
    smallest = max(1, kernel[0] - 2 * padding), max(1, kernel[1] - 2 * padding)
    shape = (draw(st.integers(smallest[0], 6)), draw(st.integers(smallest[1], 6)), draw(number))
    places = map_size(shape, kernel, stride, padding)
    source, target = Group("a", shape), Group("b", (*places, draw(number)))
    return kind(source, target, kernel=kernel, stride=stride, padding=padding)


@given(edges(), st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 4))
@settings(max_examples=120, deadline=None)
def test_send_back_and_outer_are_adjoint(edge: Edge, seed: int, replicas: int, patterns: int) -> None:
    """⟨send(w, y), δ⟩ = ⟨y, back(w, δ)⟩ = ⟨w, outer(y, δ)⟩, for each replica, and for activity that all of
    them share."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(replicas, *edge.shape))
    y = rng.normal(size=(rng.choice([1, replicas]), patterns, edge.source.size))
    d = rng.normal(size=(replicas, patterns, edge.target.size))
    sent, back, outer = edge.send(w, y), edge.back(w, d), edge.outer(y, d)
    assert (sent.shape, back.shape, outer.shape) == (d.shape, (replicas, patterns, edge.source.size), w.shape)
    products = [(a * b).sum(axis=(-1, -2)) for a, b in ((sent, d), (y, back), (w, outer))]
    np.testing.assert_allclose(products[1], products[0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(products[2], products[0], rtol=1e-9, atol=1e-9)


@given(edges(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_white_activity_and_what_it_sends_add_up_to_the_weights_as_often_as_they_stand(
    edge: Edge, seed: int
) -> None:
    """Σ y_i (W y)_jᵀ over the unit vectors is the dense matrix W itself; of a shared weight, once for each
    connection that has it, and a padded border has fewer."""
    w, y = np.random.default_rng(seed).normal(size=edge.shape), np.eye(edge.source.size)
    np.testing.assert_allclose(edge.outer(y, edge.send(w, y)), edge.times * w, rtol=1e-12, atol=1e-12)
    dense = edge.send(np.ones(edge.shape), y)  # the number of connections from each unit to each
    assert edge.times.sum() == dense.sum()


@given(edges(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_replica_alone_has_the_bits_it_has_in_a_batch(edge: Edge, seed: int) -> None:
    rng = np.random.default_rng(seed)
    w, y, d = (
        rng.normal(size=(3, *shape)) for shape in (edge.shape, (4, edge.source.size), (4, edge.target.size))
    )
    for of in (
        lambda i: edge.send(w[i], y[i]),
        lambda i: edge.back(w[i], d[i]),
        lambda i: edge.outer(y[i], d[i]),
    ):
        together = of(slice(None))
        for i in range(3):
            assert of(slice(i, i + 1)).tobytes() == together[i].tobytes()


def written_out(image: Array, kernel: Array, stride: int, padding: int) -> Array:
    """A convolution of one image (height, width, channels) by loops: its definition."""
    image = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    height, width = kernel.shape[:2]
    rows, columns = ((n - k) // stride + 1 for n, k in zip(image.shape, (height, width), strict=False))
    out = np.zeros((rows, columns, kernel.shape[-1]))
    for i in range(rows):
        for j in range(columns):
            part = image[i * stride : i * stride + height, j * stride : j * stride + width]
            out[i, j] = np.einsum("abc,abcd->d", part, kernel)
    return out


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 0), (1, 1), (2, 2), (3, 1)])
def test_a_convolution_is_its_definition_by_loops(stride: int, padding: int) -> None:
    rng = np.random.default_rng(0)
    shape, kernel = (7, 6, 2), (3, 2)
    target = Group("b", (*map_size(shape, kernel, stride, padding), 3))
    edge = Convolution(Group("a", shape), target, kernel=kernel, stride=stride, padding=padding)
    image, w = rng.normal(size=shape), rng.normal(size=(*kernel, 2, 3))
    found = edge.send(w.reshape(-1, 3), image.reshape(1, -1))
    np.testing.assert_allclose(
        found.reshape(target.shape), written_out(image, w, stride, padding), rtol=1e-12
    )
    local = Local(Group("a", shape), target, kernel=kernel, stride=stride, padding=padding)
    same = np.tile(w.reshape(-1, 3), (len(edge.seen), 1))
    np.testing.assert_allclose(local.send(same, image.reshape(1, -1)), found, rtol=1e-12)


def test_a_convolution_moves_with_its_source() -> None:
    """Translation equivariance: what stands a place further on is seen a place further on, to the bit."""
    rng = np.random.default_rng(1)
    edge = Convolution(Group("a", (9, 9, 2)), Group("b", (7, 7, 4)))
    w, image = rng.normal(size=edge.shape), np.zeros((9, 9, 2))
    image[2:5, 3:6] = rng.normal(size=(3, 3, 2))
    here = edge.send(w, image.reshape(1, -1)).reshape(7, 7, 4)
    there = edge.send(w, np.roll(image, (2, -1), axis=(0, 1)).reshape(1, -1)).reshape(7, 7, 4)
    assert np.roll(here, (2, -1), axis=(0, 1)).tobytes() == there.tobytes()


MAP = Group("input", (5, 4, 2), "linear", bias=False)


def mixed(hidden: str, output: str, kind: type[Convolution]) -> Network:
    """Convolutional, local, dense, tied and shortcut edges in one network."""
    first, second = Group("maps1", (5, 4, 2), hidden), Group("maps2", (5, 4, 2), hidden)
    third, last = Group("maps3", (2, 2, 3), hidden), Group("output", 3, output)
    shared = kind(MAP, first, kernel=(3, 3), padding=1)
    return Network(
        (MAP, first, second, third, last),
        (
            shared,
            kind(first, second, kernel=(3, 3), padding=1, like=shared),
            Convolution(second, third, kernel=(3, 2), stride=2),
            Edge(third, last),
            Edge(MAP, last),
        ),
    )


def loss_of(output: str) -> Any:
    return CrossEntropy(output) if output in ("softmax", "sigmoid") else SquaredError()


def batch_for(net: Network, output: str, rng: Any, lead: tuple[int, ...] = (1,), patterns: int = 4) -> Batch:
    x = rng.normal(size=(*lead, patterns, net.input_size))
    wanted = np.eye(3)[rng.integers(0, 3, (*lead, patterns))] > 0
    return Batch(x, wanted.astype(float), wanted, np.zeros(()), loss_of(output), time=len(lead) > 1)


def close(net: Network, params: Any, batch: Batch, rtol: float) -> None:
    found = exact_gradient(net, params, batch).gradient
    exact = differences(net, params, batch, "complex", 1e-20).gradient
    rough = differences(net, params, batch, "central", 1e-5).gradient
    assert set(found) == set(net.shapes)
    for key in net.shapes:
        size = np.abs(exact[key]).max()
        np.testing.assert_allclose(found[key], exact[key], rtol=rtol, atol=rtol * size, err_msg=key.name)
        np.testing.assert_allclose(
            rough[key], exact[key], rtol=1e-4, atol=1e-6 * max(size, 1.0), err_msg=key.name
        )


@pytest.mark.parametrize("kind", [Convolution, Local])
@pytest.mark.parametrize("hidden", ["tanh", "sigmoid", "softmax"])
@pytest.mark.parametrize("output", ["softmax", "sigmoid", "linear", "tanh"])
def test_backprop_is_the_complex_step_on_mixed_networks(
    kind: type[Convolution], hidden: str, output: str
) -> None:
    """To ten digits, and by central differences to four: convolutions, local and tied edges, softmax,
    cross-entropy."""
    net, rng = mixed(hidden, output, kind), np.random.default_rng(2)
    params = {k: 0.5 * rng.normal(size=(2, *shape)) for k, shape in net.shapes.items()}
    close(net, params, batch_for(net, output, rng), 1e-10)


def in_time(hidden: str, output: str) -> Network:
    """Delayed edges within a group, backwards, tied to another, and from the output; two hidden groups."""
    x, a, b, y = (
        Group("input", 2, "linear", bias=False),
        Group("a", 3, hidden),
        Group("b", 3, hidden),
        Group("output", 3, output),
    )
    own = Edge(a, a, delay=1)
    return Network(
        (x, a, b, y),
        (
            Edge(x, a),
            own,
            Edge(a, b),
            Edge(b, a, delay=1),
            Edge(b, b, delay=1, like=own),
            Edge(b, y),
            Edge(y, a, delay=1),
        ),
    )


@pytest.mark.parametrize("hidden", ["tanh", "softmax"])
@pytest.mark.parametrize("output", ["softmax", "linear"])
def test_backprop_through_time_is_the_complex_step(hidden: str, output: str) -> None:
    net, rng = in_time(hidden, output), np.random.default_rng(3)
    params = {k: 0.7 * rng.normal(size=(2, *shape)) for k, shape in net.shapes.items()}
    close(net, params, batch_for(net, output, rng, lead=(1, 5)), 1e-10)


def test_the_first_step_of_a_group_that_hears_only_the_past() -> None:
    x, h, y = Group("input", 2, "linear", bias=False), Group("h", 3, "tanh"), Group("output", 1)
    net = Network((x, h, y), (Edge(x, h, delay=1), Edge(h, y)))
    rng = np.random.default_rng(4)
    params = {k: rng.normal(size=(2, *shape)) for k, shape in net.shapes.items()}
    seen = rng.normal(size=(1, 3, 4, 2))
    steps = net.unrolled(params, seen)
    np.testing.assert_allclose(steps[0][h], np.tanh(np.broadcast_to(params[h], (2, 4, 3))), rtol=1e-14)
    np.testing.assert_allclose(
        steps[2][h], np.tanh(seen[:, 1] @ params[net.edges[0]] + params[h]), rtol=1e-14
    )
    assert net.respond(params, seen).shape == (2, 3, 4, 1)


def test_tied_chains_are_one_weight_many_times() -> None:
    """The gradient of a shared matrix is the sum of those of its copies in the network without ties."""
    groups = (
        Group("input", 3, "linear", bias=False),
        *(Group(f"h{i}", 3, "tanh") for i in range(3)),
        Group("output", 2),
    )
    first = Edge(groups[0], groups[1])
    tied = Network(
        groups,
        (first, *(Edge(a, b, like=first) for a, b in pairwise(groups[1:4])), Edge(groups[3], groups[4])),
    )
    free = Network(groups, tuple(Edge(a, b) for a, b in pairwise(groups)))
    rng = np.random.default_rng(5)
    params = {k: rng.normal(size=(1, *shape)) for k, shape in tied.shapes.items()}
    copies = {e: params[tied.edges[i].weights] for i, e in enumerate(free.edges)} | {
        g: params[g] for g in groups[1:]
    }
    x, target = rng.normal(size=(1, 5, 3)), rng.random((1, 5, 2))
    batch = Batch(x, target, target > 0.5, np.zeros(()))
    whole, each = exact_gradient(tied, params, batch).gradient, exact_gradient(free, copies, batch).gradient
    np.testing.assert_allclose(whole[first], sum(each[e] for e in free.edges[:3]), rtol=1e-12)
    assert tied.size == free.size - 2 * 9


def wrong(make: Any) -> str:
    with pytest.raises(InputError) as error:
        make()
    return str(error.value)


def test_what_cannot_be_wired_is_said_in_one_sentence() -> None:
    a, b, c = Group("a", (4, 4, 1)), Group("b", (2, 2, 3)), Group("c", 5)
    assert wrong(lambda: Convolution(a, b, kernel=(5, 5))) == (
        "a kernel must fit into its source, but (5, 5) was given for a map of (4, 4) with padding 0"
    )
    assert "makes a map of (3, 3)" in wrong(lambda: Convolution(a, b, kernel=(2, 2)))
    assert "its target 'c' has shape (5,)" in wrong(lambda: Convolution(a, c))
    shared = Convolution(a, b)
    assert wrong(lambda: Edge(c, c, delay=1, like=Edge(c, Group("d", 4)))) == (
        "tied edges need one kind and one shape of weights, but 'c-c:1' is "
        "a dense edge of (5, 5) and 'c-d' a dense edge of (5, 4)"
    )
    assert "is a local edge of (36, 3) and 'a-b' a convolution of (9, 3)" in wrong(
        lambda: Local(a, b, like=shared)
    )
    assert "delay must be 0 or 1" in wrong(lambda: Edge(a, c, delay=2))
    assert "runs against the order" in wrong(
        lambda: Network((Group("i", 1), a, c), (Edge(Group("i", 1), a), Edge(c, a), Edge(a, c)))
    )
    assert "which is not in the network" in wrong(
        lambda: Network((c, Group("d", 5)), (Edge(c, Group("d", 5), like=Edge(c, c, delay=1)),))
    )
    assert "stride must be a whole number" in wrong(lambda: Convolution(a, b, stride=0))
    assert "is a number of units or a map" in wrong(lambda: Group("m", (3, 3)))
