"""What looks at networks, held to what it says of the same ones written out, and to the weights it draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PatchCollection

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import DirectRandomTargetProjection, ways_back
from algorithms.shallow import Shallow
from algorithms.weight_perturbation import ForwardGradient
from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.core import registry
from harness.core.algorithm import Batch, CreditAlgorithm
from harness.core.convolution import Convolution, Local
from harness.core.edges import Edge, Group
from harness.core.errors import InputError
from harness.core.initial import initial
from harness.core.losses import CrossEntropy, SquaredError
from harness.core.network import Network
from harness.core.rand import SPLIT, WEIGHTS, Rand
from harness.credit.compare import gauss_newton
from harness.credit.gradient_check import check
from harness.credit.traits import contradictions, observe
from harness.credit.vanishing import left
from harness.experiment.run import run
from harness.plots.hinton import _draw, panels_of
from harness.results.trained_networks import Networks
from helpers.delayed_xor import DelayedXor
from helpers.kinds import KINDS, Images

Array = Any
every_kind = pytest.mark.parametrize("kind", KINDS)
LOSSES = ["squared_error", "cross_entropy"]
RULES = [name for name, kind in registry.algorithms().items() if issubclass(kind, CreditAlgorithm)]
SEEN = ("needs_derivative", "transports_weights", "local", "phases", "global_scalar", "locked")


def cell(algorithm: Any, task: Any, replicas: int = 2) -> Cell:
    return Cell(*resolve(algorithm, task, Settings(replicas=replicas)))


def weights_of(net: Network, replicas: int = 1) -> dict[Any, Array]:
    return initial(net, Rand(0, range(replicas), WEIGHTS), "uniform", 1.0)


@every_kind
@pytest.mark.parametrize("loss", LOSSES)
def test_the_probe_finds_backprop_at_no_angle_by_the_names_of_parameters(kind: str, loss: str) -> None:
    """With a Gauss–Newton step of squared errors only; DRTP and Shallow have some angle."""
    task = Images(kind=kind, loss=loss)
    found = run(Backprop(), task, replicas=3, epochs=3, probe=2).trained.credit
    names = {e.name for e in task.network().edges if e.weights is e} | {"total"}
    assert {name.split("/")[1] for name in found if name.startswith("angle/")} == names
    for name in names:
        assert np.nanmax(found[f"angle/{name}"]) < 1e-5
        np.testing.assert_allclose(found[f"ratio/{name}"], 1, rtol=1e-12)
    assert ("newton/total" in found) == (loss == "squared_error")
    for other in (DirectRandomTargetProjection(), Shallow()):
        assert np.nanmin(run(other, task, replicas=3, epochs=3, probe=2).trained.credit["angle/total"]) > 0.1


@every_kind
@pytest.mark.parametrize("loss", LOSSES)
def test_the_check_finds_backprop_to_be_the_gradient(kind: str, loss: str) -> None:
    """Of every parameter, to the digits of each difference; a forward gradient's mean is within its limit."""
    task = Images(kind=kind, loss=loss)
    groups = check(cell(Backprop(), task)).groups
    assert groups.keys() == {key.name for key in task.network().shapes} | {"total"}
    assert all(a.central >= 5.5 and a.complex >= 12 and not a.word for a in groups.values())
    drawn = check(cell(ForwardGradient(), task), draws=500).groups
    assert not any(a.biased for a in drawn.values())


def test_a_gauss_newton_step_solves_a_linear_network_in_one() -> None:
    """y = conv(x): w − J⁺(y − d) are the least squares; shared weights make J the sum over places."""
    image, out = (
        Group("input", (3, 3, 1), "linear", bias=False),
        Group("output", (2, 2, 1), "linear", bias=False),
    )
    net = Network((image, out), (Convolution(image, out, kernel=(2, 2)),))
    rng, (edge,) = np.random.default_rng(0), net.edges
    x, d = rng.normal(size=(1, 6, 9)), rng.normal(size=(1, 6, 4))
    params = {edge: rng.normal(size=(2, *edge.shape))}
    step = gauss_newton(net, params, Batch(x, d, d > 0, np.zeros(())))
    seen = np.stack([edge.send(np.eye(4)[i].reshape(4, 1), x[0]).ravel() for i in range(4)], axis=1)
    best = np.linalg.lstsq(seen, d.ravel())[0]
    np.testing.assert_allclose(params[edge][..., 0] - step, [best, best], rtol=1e-10)


def test_a_gauss_newton_step_is_of_squared_errors_and_of_patterns_only() -> None:
    task = Images()
    net, data = task.network(), task.data(Rand(0, [0], SPLIT), float)
    with pytest.raises(InputError, match="is that of squared errors of patterns"):
        gauss_newton(net, weights_of(net), Batch.of(data, np.zeros(()), CrossEntropy("sigmoid")))
    timed = DelayedXor()
    sequences = Batch.of(timed.data(Rand(0, [0], SPLIT), float), np.zeros(()), SquaredError())
    with pytest.raises(InputError, match="is that of squared errors of patterns"):
        gauss_newton(timed.network(), weights_of(timed.network()), sequences)


def test_a_group_that_leads_nowhere_has_no_part_in_a_gauss_newton_step() -> None:
    x, lost, y = Group("input", 2, "linear", bias=False), Group("lost", 3), Group("output", 2)
    into, out = Edge(x, lost), Edge(x, y)
    net, rng = Network((x, lost, y), (into, out)), np.random.default_rng(1)
    d = rng.random((1, 5, 2))
    batch = Batch(rng.normal(size=(1, 5, 2)), d, d > 0.5, np.zeros(()))
    step = gauss_newton(net, weights_of(net, 2), batch)
    names = np.concatenate([np.full(a * b, key.name) for key, (a, b) in net.shapes.items()])
    assert np.abs(step[:, np.isin(names, ["input-lost", "lost"])]).max() < 1e-12
    assert np.abs(step[:, np.isin(names, ["input-output", "output"])]).min() > 1e-3


@pytest.mark.parametrize("name", RULES)
def test_traits_are_those_of_the_network_written_out(name: str) -> None:
    """Or there is no answer, and the sentence says why; what is declared is never contradicted.

    EGGROLL sends its perturbations of a kernel over the edge by themselves, and an alteration that is taken
    back from all that is sent is taken back from these, too: it is seen where edges are dense.
    """
    rule = registry.algorithms()[name]()
    some = KINDS if rule.traits.phases else ("local", "tied")  # a pass a weight takes its time
    for kind in some if name != "eggroll" else ("tied",):
        shared, dense = (observe(rule, Images(kind=kind, dense=written)) for written in (False, True))
        for trait in SEEN:
            (value, why), (other, _) = getattr(shared, trait), getattr(dense, trait)
            assert value == other or None in (value, other), (kind, trait, why)
            assert value is not None or why.startswith("not testable: "), (kind, trait, why)
    assert contradictions(rule) == []


def test_where_weights_come_before_and_how_often_they_come_back() -> None:
    """A shared matrix lies upstream of nothing before its first use, and is one way back."""
    from harness.credit.altered import Trial

    trial = Trial(Backprop(), Images(kind="tied"))
    into, between, _, out = trial.net.edges
    met = {e: {k.name for k in trial.upstream(e)} for e in trial.edges}
    assert met == {
        into: set(),
        between: {"input-h0", "h0"},
        out: {"input-h0", "h0", "h0-h1", "h1", "h2"},
    }
    assert ways_back(trial.net) == [between, out]
    row, column = trial.untouched(between, trial.net.hidden[0]), trial.untouched(between, trial.net.hidden[2])
    assert (~row).nonzero()[0].tolist() == [0] * 4
    assert (~column).nonzero()[1].tolist() == [0] * 4
    both = trial.untouched(between, trial.net.hidden[1])
    assert (~both).sum() == 7, "first row and first column"


def test_a_unit_of_a_map_touches_its_channel_where_a_kernel_sees_it() -> None:
    """The first place of a 4 × 4 map stands under the first offset of an unpadded kernel alone."""
    from harness.credit.altered import Trial

    trial = Trial(Backprop(), Images(kind="convolution"))
    first, second, _ = trial.net.edges
    touched = ~trial.untouched(second, trial.net.hidden[0])
    assert touched.reshape(3, 3, 2, 2).sum() == 2
    assert touched.reshape(3, 3, 2, 2)[0, 0, 0].all()
    assert (~trial.untouched(first, trial.net.hidden[0])).nonzero()[1].tolist() == [0] * 4, (
        "what stands inside the padding"
    )


@every_kind
def test_what_vanishes_is_that_of_shared_credit(kind: str) -> None:
    """First ÷ last hidden layer of backprop, by root mean squares of the gradient itself."""
    task = Images(kind=kind)
    net = task.network()
    if len(net.hidden) == 1:
        assert left(cell(Backprop(), task)).ratio == pytest.approx([1, 1])
        return
    from harness.core.exact_gradient import exact_gradient

    params = initial(net, Rand(0, range(2), WEIGHTS), task.init, task.initial_scale)
    batch = Batch.of(task.data(Rand(0, range(2), SPLIT), float), np.zeros(()), task.objective)
    g = exact_gradient(net, params, batch).gradient
    ends = [net.into(group)[0].weights for group in (net.hidden[0], net.hidden[-1])]
    first, last = (np.sqrt((g[e] ** 2).mean(axis=(-1, -2))) for e in ends)
    np.testing.assert_allclose(left(cell(Backprop(), task)).ratio, first / last, rtol=1e-12)


def test_layers_that_share_their_weights_have_no_ratio() -> None:
    class Loop(Images):
        def network(self) -> Network:
            x, a, b, y = (
                Group("input", 16, "linear", bias=False),
                Group("a", 16),
                Group("b", 16),
                Group("output", 3),
            )
            first = Edge(x, a)
            return Network((x, a, b, y), (first, Edge(a, b, like=first), Edge(b, y)))

    with pytest.raises(InputError, match="share their weights"):
        left(cell(Backprop(), Loop()))


# Hinton diagrams


def areas(figure: Any) -> list[Array]:
    """Signed areas of the squares of each panel and their places, from top to bottom and left to right."""
    panels = []
    for ax in figure.axes:
        found = []
        for collection in (c for c in ax.collections if isinstance(c, PatchCollection)):
            sign = 1 if collection.get_facecolor()[0][0] == 1 else -1
            boxes = [path.get_extents() for path in collection.get_paths()]
            found += [
                ((b.y0 + b.y1) / 2, (b.x0 + b.x1) / 2, sign * b.width * b.height)
                for b in boxes
                if b.width > 0
            ]
        panels.append(np.array(sorted(found)))
    return panels


def figure_of(net: Network) -> tuple[Any, dict[str, Array]]:
    weights = {key.name: w[0] for key, w in weights_of(net).items()}
    return _draw(panels_of(weights, net), "a title", "and one below"), weights


def test_a_kernel_is_drawn_in_its_own_shape() -> None:
    """Of 2 channels seen and 2 made: offset (1, 2) of channel 1 into channel 0 is in row 3 + 1, column 2."""
    net = Images(kind="convolution").network()
    figure, weights = figure_of(net)
    maps, small, _ = areas(figure)
    biggest = max(np.abs(w).max() for w in weights.values())
    assert [len(maps), len(small)] == [9 * 2 + 2, 9 * 2 * 2 + 2]
    kernel = weights["maps-small"].reshape(3, 3, 2, 2)
    for (i, j, seen, made), w in np.ndenumerate(kernel):
        y, x = seen * 3 + i + 0.5, made * 3 + j + 0.5
        (square,) = small[(np.abs(small[:, :2] - (y, x)) < 1e-9).all(axis=1)]
        assert square[2] == pytest.approx(0.81 * w / biggest)
    bias = small[small[:, 0] > 6]
    np.testing.assert_allclose(bias[:, 1], [1.5, 4.5])  # below the middle of its kernels
    np.testing.assert_allclose(bias[:, 2], 0.81 * weights["small"][0] / biggest)


def test_kernels_of_places_stand_as_the_places_do() -> None:
    net = Images(kind="local").network()
    figure, weights = figure_of(net)
    small, _ = areas(figure)
    biggest = max(np.abs(w).max() for w in weights.values())
    kernels = weights["input-small"].reshape(2, 2, 3, 3, 1, 2)
    assert isinstance(net.edges[0], Local)
    for (down, along, i, j, _, made), w in np.ndenumerate(kernels):
        y, x = down * 3 + i + 0.5, made * 6 + along * 3 + j + 0.5
        (square,) = small[(np.abs(small[:, :2] - (y, x)) < 1e-9).all(axis=1)]
        assert square[2] == pytest.approx(0.81 * w / biggest)


def test_what_is_shared_or_late_says_so() -> None:
    """Tied weights are drawn once, under the names of all; delayed ones beside the others into a group."""
    tied = panels_of(figure_of(Images(kind="tied").network())[1], Images(kind="tied").network())
    assert [(p.target, [b.name for b in p.blocks]) for p in tied] == [
        ("h0", ["input", "bias"]),
        ("h1", ["h0, h1-h2", "bias"]),
        ("output", ["h2", "bias"]),
    ]
    timed = DelayedXor().network()
    figure, weights = figure_of(timed)
    assert [[b.name for b in p.blocks] for p in panels_of(weights, timed)] == [
        ["input", "hidden (t − 1)", "bias"],
        ["hidden", "bias"],
    ]
    assert [len(panel) for panel in areas(figure)] == [(1 + 4 + 1) * 4, 4 + 1]


# What units do


@pytest.mark.parametrize(
    "task", [*(Images(kind=kind) for kind in KINDS), DelayedXor()], ids=lambda t: getattr(t, "kind", t.name)
)
def test_activities_are_those_of_each_network_alone(task: Any) -> None:
    """For patterns without an axis of networks, and as the data share them."""
    net, params = task.network(), weights_of(task.network(), 3)
    nets = Networks(task, net, params, {"replica": np.arange(3)}, 0)
    plain, shared = nets.activities(), nets.activities(nets.data.x)
    output = net.output.name
    assert plain[output].shape == net.respond(params, nets.data.x).shape
    for i in range(3):
        one = net.respond({key: w[i : i + 1] for key, w in params.items()}, nets.data.x)[0]
        np.testing.assert_array_equal(plain[output][i], one)
        np.testing.assert_array_equal(shared[output][i], one)
    assert plain.keys() == {g.name for g in net.groups}
