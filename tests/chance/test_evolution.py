"""Evolution held to closed forms, quadrature, counting and its operators' definitions; statistical tests
state n and alarms."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy import stats

from algorithms import evolution_strategies
from algorithms.evolution_strategies import EvolutionStrategies, centred_ranks, losses
from algorithms.genetic import Genetic, entered, two_sided_exponential
from harness import run
from harness.cells.cell import Cell
from harness.core.algorithm import Batch
from harness.core.errors import InputError
from harness.core.initial import initial
from harness.core.losses import SquaredError
from harness.core.network import Network
from harness.core.outcomes import SOLVED
from harness.core.rand import NOISE, WEIGHTS, Rand
from harness.core.vectors import flatten, unflatten
from harness.cost.sheet import sheet
from harness.tasks.encoder import Encoder
from harness.tasks.xor import Xor

MOTHERS, FATHERS = np.random.default_rng(0).normal(
    size=(2, 200, 50, 32)
)  # weight vectors of BUSHY, all different
ALARM = 1e-6  # of a family of comparisons in one test, when all is as it should be
BUSHY = Network.chain(3, 4, 2, shortcut=True)  # W = 12 + 8 + 6 + 4 + 2 = 32


def rand(replicas: int, seed: int = 0, dtype: Any = np.float64) -> Rand:
    return Rand(seed, range(replicas), NOISE, dtype)


def is_mean(samples: Any, expected: Any, alarm: float = ALARM) -> None:
    """z-tests of the means of columns (n, …), n in the thousands, with Bonferroni's correction."""
    z = (samples.mean(axis=0) - expected) / (samples.std(axis=0, ddof=1) / np.sqrt(len(samples)))
    assert np.abs(z).max() < stats.norm.isf(alarm / 2 / z.size), z


def estimates(
    algorithm: EvolutionStrategies, net: Network, theta: Any, batch: Batch, n: int, seed: int = 0
) -> Any:
    """n independent estimates (n, W) of the gradient at the weights theta (W,)."""
    params = unflatten(net, np.tile(theta, (n, 1, 1)))
    return flatten(net, algorithm.credit(net, params, {}, batch, rand(n, seed)).gradient)[:, 0]


def quadratic() -> tuple[Network, Any, Batch, Any]:
    """A linear layer, where E is a quadratic: its smoothed gradient is its gradient Xᵀ(XΘ − D), 1 for the
    bias in X."""
    net, rng = Network.chain(2, 2, output="linear"), np.random.default_rng(0)
    x, target, theta = rng.normal(size=(5, 2)), rng.normal(size=(5, 2)), rng.normal(size=6)
    whole = np.hstack([x, np.ones((5, 1))])  # weights (2, 2) row by row, then the bias: the rows of Θ
    gradient = whole.T @ (whole @ theta.reshape(3, 2) - target)
    return net, theta, Batch(x, target, target > 0, 0), gradient.ravel()


@pytest.mark.parametrize("sigma", [0.05, 2.0])
def test_on_a_quadratic_the_mean_estimate_is_the_gradient_and_its_variance_as_calculated(
    sigma: float,
) -> None:
    """n = 20,000. A pair gives (g·ε)ε, so the variance of weight j over m pairs is (|g|² + g_j²) / m,
    whatever σ."""
    net, theta, batch, gradient = quadratic()
    found = estimates(EvolutionStrategies(sigma=sigma, pairs=3), net, theta, batch, 20_000)
    is_mean(found, gradient)
    is_mean((found - gradient) ** 2, (gradient @ gradient + gradient**2) / 3)


def test_on_a_network_the_mean_estimate_is_the_gradient_of_the_smoothed_loss() -> None:
    """n = 40,000 against Gauss-Hermite quadrature of E[ε F(θ + σε)] / σ over all four weights of a 1-1-1
    network."""
    net, sigma = Network.chain(1, 1, 1), 1.5
    theta, x, target = (
        np.array([1.0, -2.0, 0.5, 0.3]),
        np.array([[-1.0], [0.5], [2.0]]),
        np.array([[1.0], [0.0], [1.0]]),
    )
    assert [k.name for k in net.shapes] == ["input-hidden", "hidden-output", "hidden", "output"]

    def gradient(points: int) -> Any:
        nodes, weights = np.polynomial.hermite_e.hermegauss(points)
        noise = np.stack(np.meshgrid(*[nodes] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
        mass = np.prod(np.meshgrid(*[weights / weights.sum()] * 4, indexing="ij"), axis=0).ravel()
        w, v, b, c = (theta + sigma * noise).T[..., None]
        y = 1 / (1 + np.exp(-(v / (1 + np.exp(-(w * x[:, 0] + b))) + c)))
        return (mass * 0.5 * ((y - target[:, 0]) ** 2).sum(axis=1)) @ noise / sigma

    exact = gradient(24)
    np.testing.assert_allclose(
        gradient(18), exact, atol=1e-4
    )  # it has converged, well below the standard error
    found = estimates(
        EvolutionStrategies(sigma=sigma, pairs=2), net, theta, Batch(x, target, target > 0.5, 0), 40_000
    )
    assert (found.std(axis=0) / 200).min() > 4e-4
    is_mean(found, exact)


def test_mirrored_pairs_cancel_even_terms_exactly() -> None:
    """At zero weights and targets a linear layer has E(θ + d) = E(θ − d) to the last bit."""
    net, theta, batch, _ = quadratic()
    found = estimates(
        EvolutionStrategies(sigma=3.0), net, 0 * theta, batch._replace(target=0 * batch.target), 50
    )
    assert not found.any()


def test_mirrored_pairs_vary_less_than_as_many_single_perturbations() -> None:
    net, theta, batch, gradient = quadratic()
    noise = rand(5000, 1).normal(6, net.size)
    plain = (losses(net, theta + 0.5 * noise, batch)[..., None] * noise).mean(axis=1) / 0.5
    is_mean(plain, gradient)
    mirrored = estimates(EvolutionStrategies(sigma=0.5, pairs=3), net, theta, batch, 5000)
    assert (mirrored.var(axis=0) < 0.5 * plain.var(axis=0)).all()


def test_shaping_sees_only_the_order_of_losses() -> None:
    class Transformed(SquaredError):
        def of(self, y: Any, target: Any, wanted: Any) -> Any:
            return np.exp(3.0 * super().of(y, target, wanted)) - 7.0

    net, theta, batch, _ = quadratic()
    other = batch._replace(loss=Transformed())
    for shaping in (True, False):
        one, two = (
            estimates(EvolutionStrategies(shaping=shaping), net, theta, b, 20) for b in (batch, other)
        )
        assert np.array_equal(one, two) == shaping
    shaped = centred_ranks(np.random.default_rng(0).normal(size=(3, 4, 50)))
    assert (shaped.min(), shaped.max()) == (-0.5, 0.5)
    u = np.round(np.random.default_rng(0).random(50), 1)  # with ties: to the first, as in the paper's code
    np.testing.assert_allclose(centred_ranks(u), (stats.rankdata(u, "ordinal") - 1) / 49 - 0.5, atol=1e-15)


def test_a_shaped_step_is_the_sum_over_individuals_by_hand() -> None:
    net, theta, batch, _ = quadratic()
    noise = rand(1).normal(4, net.size)[0]
    crowd = [theta + 0.5 * e for e in (*noise, *-noise)]
    whole = np.hstack([batch.x, np.ones((5, 1))])
    order = stats.rankdata([((whole @ w.reshape(3, 2) - batch.target) ** 2).sum() for w in crowd])
    expected = sum((r - 1) / 7 * e for r, e in zip(order, (*noise, *-noise), strict=True)) / (8 * 0.5)
    found = estimates(EvolutionStrategies(sigma=0.5, pairs=4, shaping=True), net, theta, batch, 1)
    np.testing.assert_allclose(found[0], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("own", [False, True])
def test_losses_of_a_crowd_are_those_of_its_networks_in_any_blocks(
    own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patterns shared by all replicas, or each its own, as when they hold some out or come in another
    order."""
    rng = np.random.default_rng(0)
    genes, x = rng.normal(size=(3, 6, BUSHY.size)), rng.normal(size=(*([3] if own else []), 5, 3))
    batch = Batch(x, target := rng.random((*x.shape[:-1], 2)), target > 0.5, 0, SquaredError(0.1))
    together = losses(BUSHY, genes, batch)
    for i, j in np.ndindex(3, 6):
        alone = Batch(*(a[i] if own else a for a in batch[:3]), 0, batch.loss)
        assert (
            alone.cost(BUSHY.forward(unflatten(BUSHY, genes[i, j][None]), alone.x)[BUSHY.output])
            == together[i, j]
        )
    for workspace in (1, 700):
        monkeypatch.setattr(evolution_strategies, "WORKSPACE", workspace)
        assert losses(BUSHY, genes, batch).tobytes() == together.tobytes()


PAPER = Genetic(50, parent_scalar=0.92, spread=1.0)  # Montana & Davis: too few for XOR, quick on the encoder


@pytest.mark.parametrize(
    ("algorithm", "task", "n", "needed", "poor"),
    [(Genetic(), Xor(), 800, 774, 0.95), (PAPER, Encoder(), 12, 12, 0.7)],
)
def test_the_genetic_algorithm_solves(
    algorithm: Genetic,
    task: Any,
    n: int,
    needed: int,
    poor: float,
    record_property: Callable[[str, object], None],
) -> None:
    """A rate of 95 % on XOR 2-2-1, or of 70 % on the encoder, would fail this with a probability of .98 and
    more."""
    assert stats.binom.sf(needed - 1, n, poor) < 0.02
    result = run(algorithm, task, replicas=n, epochs=80 if n == 800 else 1200).trained
    solved = result.outcome == SOLVED
    tries = algorithm.population * result.epochs[solved]
    record_property(
        "evaluations",
        f"mean {tries.mean():,.0f}, quartiles {np.percentile(tries, [25, 50, 75])}; NEAT on XOR 4,755",
    )
    assert solved.sum() >= needed


def test_evolution_strategies_learn_like_a_gradient() -> None:
    """XOR, n = 40: a rate of 90 % would fail this with a probability below .001."""
    solved = (run(EvolutionStrategies(), Xor(), replicas=40, epochs=600).trained.outcome == SOLVED).sum()
    assert stats.binom.cdf(27, 40, 0.9) < 1e-3
    assert solved >= 28


def generations(algorithm: Genetic, count: int, replicas: int = 20) -> Any:
    """State after state of populations on XOR, all from one stream."""
    task, noise = Xor(), rand(replicas)
    net = task.network()
    batch = Batch(*task.data(noise, float)[:3], 0)
    state = algorithm.init(net, initial(net, Rand(0, range(replicas), WEIGHTS), "uniform", 0.5), noise)
    for _ in range(count + 1):
        yield net, batch, state
        state = algorithm.update(net, state, batch, noise).state


@pytest.mark.parametrize("elite", [0, 1, 5])
def test_with_an_elite_the_best_never_gets_worse(elite: int) -> None:
    best = np.array(
        [
            b.cost(net.forward(s["params"], b.x)[net.output])
            for net, b, s in generations(Genetic(30, elite), 30)
        ]
    )
    assert (np.diff(best[1:], axis=0) <= 0).all() == (
        elite > 0
    )  # best[0] is that of the shared weights, before anybody is tried


@pytest.mark.parametrize("elite", [0, 1, 7, 29])
def test_the_best_live_on_and_children_take_the_place_of_the_rest(elite: int) -> None:
    (net, batch, before), (_, _, after) = generations(Genetic(30, elite), 1)
    old, new = before["memory"]["population"], after["memory"]["population"]
    assert new.shape == old.shape == (20, 30, net.size)
    rank = np.argsort(losses(net, old, batch))
    for r in range(20):
        assert new[r, :elite].tobytes() == old[r, rank[r, :elite]].tobytes()
        assert flatten(net, after["params"])[r, 0].tobytes() == old[r, rank[r, 0]].tobytes(), (
            "the best that was tried"
        )
    assert all(w.shape[1:] == net.shapes[k] for k, w in after["params"].items())


def test_the_first_population_is_the_shared_weights_and_draws_of_e_to_minus_x() -> None:
    algorithm, shared = Genetic(spread=3.0), initial(BUSHY, Rand(0, range(5), WEIGHTS), "uniform", 0.5)
    population = algorithm.init(BUSHY, shared, rand(5))["memory"]["population"]
    np.testing.assert_array_equal(population[:, :1], flatten(BUSHY, shared))
    assert (
        stats.kstest(population[:, 1:].ravel(), stats.laplace(scale=3).cdf).pvalue > ALARM
    )  # n = 5 · 149 · 32


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_two_sided_exponential_is_the_inverse_of_a_distribution_function_and_finite(dtype: Any) -> None:
    ends = np.array([0, np.nextafter(dtype(0.5), dtype(0)), 0.5, np.nextafter(dtype(1), dtype(0))], dtype)
    assert np.isfinite(two_sided_exponential(ends)).all()
    assert two_sided_exponential(ends).dtype == dtype
    u = (
        np.arange(1000, dtype=dtype) + 0.5
    ) / 1000  # evenly: each half decreases, and increases, along its quantiles
    np.testing.assert_allclose(np.sort(two_sided_exponential(u)), stats.laplace.ppf(u), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("s", [0.5, 0.92, 1.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_parents_are_drawn_by_rank(s: float, dtype: Any) -> None:
    """χ² of n = 2,000 · 11 parents against s^r (1 − s) / (1 − s^P)."""
    algorithm = Genetic(12, elite=1, parent_scalar=s)
    ranked = np.broadcast_to(np.arange(12, dtype=dtype)[:, None], (2000, 12, 1))
    drawn = algorithm.parents(ranked, rand(2000, dtype=dtype))
    assert drawn.shape == (2000, 11, 1)
    expected = np.full(12, 1 / 12) if s == 1 else s ** np.arange(12) * (1 - s) / (1 - s**12)
    assert (
        stats.chisquare(np.bincount(drawn.ravel().astype(int), minlength=12), 22_000 * expected).pvalue
        > ALARM
    )


def test_weights_lead_into_the_nodes_they_enter() -> None:
    """3-4-2 with a shortcut: hidden nodes 0-3, output nodes 4 and 5; every matrix row by row, edges first,
    then biases."""
    hidden, output = [0, 1, 2, 3], [4, 5]
    assert entered(BUSHY).tolist() == hidden * 3 + output * 4 + output * 3 + hidden + output


@pytest.mark.parametrize("crossover", ["crossover_nodes", "crossover_weights"])
def test_a_child_of_crossover_has_only_its_parents_weights(crossover: str) -> None:
    """Sites are won by either parent evenly, and independently: their number varies as a binomial one; n =
    10,000."""
    children = Genetic(crossover=crossover).crossed(BUSHY, MOTHERS, FATHERS, rand(200))
    from_mother = children == MOTHERS
    assert (from_mother | (children == FATHERS)).all()
    first_output = from_mother[..., entered(BUSHY) == 4]
    whole_nodes = (first_output.all(axis=-1) | ~first_output.any(axis=-1)).all()
    assert whole_nodes == (crossover == "crossover_nodes")
    count = 6 if whole_nodes else BUSHY.size
    firsts = np.unique(entered(BUSHY), return_index=True)[1] if whole_nodes else slice(None)
    won = from_mother[..., firsts].sum(axis=-1).ravel()
    is_mean(from_mother[..., firsts].reshape(-1, count), 0.5)
    is_mean((won - count / 2) ** 2.0, count / 4)


@pytest.mark.parametrize("nodes", [1, 2, 6, 9])
def test_mutate_nodes_changes_all_incoming_weights_of_n_nodes_and_nothing_else(nodes: int) -> None:
    """Every node has its turn, n = 10,000 mutants; what is added is e^{−|x|}."""
    change = Genetic(nodes=nodes, spread=0.5).mutated(BUSHY, MOTHERS, rand(200)) - MOTHERS
    hit = np.stack([(change[..., entered(BUSHY) == node] != 0).all(axis=-1) for node in range(6)], axis=-1)
    missed = np.stack([(change[..., entered(BUSHY) == node] == 0).all(axis=-1) for node in range(6)], axis=-1)
    assert (hit ^ missed).all()
    assert (hit.sum(axis=-1) == min(nodes, 6)).all()
    if nodes < 6:
        is_mean(hit.reshape(-1, 6), nodes / 6)
    assert stats.kstest(change[change != 0][:20_000], stats.laplace(scale=0.5).cdf).pvalue > ALARM


@pytest.mark.parametrize("p", [0.1, 0.6])
def test_weights_are_mutated_at_their_rate_biased_by_what_they_were_or_not(p: float) -> None:
    """n = 10,000 mutants of 32 weights: the share changed is p for each, their number varies as a binomial
    one."""
    noise = []
    for mutation in ("biased_mutate_weights", "unbiased_mutate_weights"):
        found = Genetic(mutation=mutation, weight_probability=p).mutated(BUSHY, MOTHERS, rand(200))
        changed = found != MOTHERS
        is_mean(changed.reshape(-1, 32), p)
        is_mean((changed.sum(axis=-1).ravel() - 32 * p) ** 2, 32 * p * (1 - p))
        noise.append((found - MOTHERS if mutation.startswith("biased") else found)[changed][:20_000])
        assert stats.kstest(noise[-1], stats.laplace(scale=2).cdf).pvalue > ALARM
    np.testing.assert_allclose(*noise, atol=1e-12)  # the same numbers, once added and once put in its place


def test_crossover_has_its_share_of_children() -> None:
    """Mutants of all weights have those of nobody, children of crossover those of somebody; n = 6,000
    children."""
    algorithm = Genetic(
        60, elite=0, crossover_probability=0.3, weight_probability=1.0, mutation="biased_mutate_weights"
    )
    (_, _, before), (_, _, after) = generations(algorithm, 1, replicas=100)
    old, new = (s["memory"]["population"] for s in (before, after))
    inherited = (new[:, :, None] == old[:, None]).any(axis=2).all(axis=-1)
    is_mean(inherited.reshape(-1, 1), 0.3)


CASES: dict[str, Any] = {
    "genetic": partial(run, Genetic(20), Xor(), epochs=20),
    "genetic by weights": partial(
        run, Genetic(20, 3, 1.0, 0.5, "crossover_weights", "biased_mutate_weights"), Xor(), epochs=20
    ),
    "genetic float32 in mini-batches": partial(run, Genetic(20), Xor(), epochs=10, batch=3, dtype="float32"),
    "strategies": partial(run, EvolutionStrategies(pairs=5), Xor(), epochs=150),
    "shaped, online": partial(
        run, EvolutionStrategies(pairs=5, shaping=True), Xor(), epochs=20, batch=1, dtype="float32"
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_replica_alone_is_itself_in_a_batch_and_the_seed_is_all_there_is_to_chance(case: str) -> None:
    def bits(result: Any) -> Any:
        t = result.trained
        return [
            (t.epochs[i], t.loss[i], *(w[i].tobytes() for w in t.weights.values()))
            for i in range(len(t.epochs))
        ]

    whole = bits(CASES[case](replicas=12))
    assert bits(CASES[case](replicas=12)) == whole
    assert bits(CASES[case](replicas=12, seed=1)) != whole
    assert bits(CASES[case](replicas=12, only=[7])) == [whole[7]]


@pytest.mark.parametrize("name", ["genetic", "evolution_strategies"])
def test_an_update_costs_a_forward_pass_an_individual(name: str) -> None:
    """And beside it n differences times W directions; or a logarithm a weight of each child, and one for each
    of its parents."""
    size = 40
    settings = {"population": size, "elite": 4} if name == "genetic" else {"pairs": size // 2}
    s = sheet(Cell.of({"name": name} | settings, {"name": "encoder"}, {"replicas": 1}))
    assert json.dumps(s.numbers())
    weights, children = s.weights, size - 4
    step = 0 if name == "genetic" else 2 * weights * size // 2
    assert s.update.flops["contraction"] == size * s.forward.flops["contraction"] + step
    logs = children * (weights + 2) if name == "genetic" else 0
    assert s.update.flops["transcendental"] == size * s.forward.flops["transcendental"] + logs
    assert s.update.flops["reduction"] == size * (8 * 8 - 1)  # sums of squares: nothing else is added up
    if name == "genetic":  # two parents, the operator, a coin and a rank a node, noise a weight
        assert s.update.span == 12 + 4 + 4, "forward, loss; sort, add, choose nodes, choose operator"
        assert s.update.draws == {"uniform": children * (3 + 2 * 11 + weights)}
        each = (
            2 * 11 * 4 + 11 + 11 + 1 + weights
        )  # two sorts of 11 nodes, those chosen, coins, operator, side of the noise
        assert s.update.flops["comparison"] == children * each + size * 6, "⌈log2 11⌉ = 4, ⌈log2 40⌉ = 6"
    else:
        assert s.update.draws == {"normal": size // 2 * weights}


BAD: dict[str, Callable[[], Any]] = {
    "population must be a whole number, at least 2, but 1": lambda: Genetic(population=1),
    "elite must be below the population of 50, but 50": lambda: Genetic(population=50, elite=50),
    "parent_scalar must be above 0 and at most 1, but 0.0": lambda: Genetic(parent_scalar=0.0),
    "crossover_probability must be at least 0 and at most 1, but nan": lambda: Genetic(
        crossover_probability=float("nan")
    ),
    "weight_probability must be at least 0 and at most 1, but 1.5": lambda: Genetic(weight_probability=1.5),
    "did you mean 'crossover_nodes'": lambda: Genetic(crossover="crossover_node"),
    "did you mean 'mutate_nodes'": lambda: Genetic(mutation="mutate_node"),
    "nodes must be a whole number, at least 1, but 0": lambda: Genetic(nodes=0),
    "sigma must be finite and greater than 0, but 0": lambda: EvolutionStrategies(sigma=0),
    "pairs must be a whole number, at least 1, but 2.5": lambda: EvolutionStrategies(pairs=2.5),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("sentence", BAD)
def test_bad_settings_are_one_sentence(sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        BAD[sentence]()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
