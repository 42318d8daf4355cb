"""Traffic held to its rule: closed-form covariances of long series, brute force over hours, forecasts written
out by hand."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from algorithms.backprop import Backprop
from algorithms.delta_rule import DeltaRule
from harness.core import registry
from harness.core.data import Data
from harness.core.errors import InputError, NotApplicable
from harness.core.rand import SPLIT, Rand
from harness.experiment.result import Result
from harness.experiment.run import run
from harness.tasks import traffic
from harness.tasks.traffic import (
    DAY,
    DECAY,
    ONSET,
    PARTS,
    PHI,
    SEED,
    SIGMA,
    SIZES,
    SPILL,
    STATIONS,
    WEEK,
    Traffic,
    least_squares,
    loads,
    naive,
    nrmse,
    standardised,
)

HOURS = 12 * WEEK
NEIGHBOURS = [(a, b) for a in range(4) for b in range(4) if (a - b) % 4 in (1, 3)]
OPPOSITE = [(0, 2), (2, 0), (1, 3), (3, 1)]


def data_of(task: Traffic, replicas: int = 2, seed: int = 0, dtype: str = "float64") -> dict[str, Data]:
    """The parts, (patterns, units) each: all replicas share them."""
    data = task.data(Rand(seed, range(replicas), SPLIT), dtype)
    assert data.validation is not None
    assert data.held is not None
    parts = {"training": data, "validation": data.validation, "held": data.held}
    assert all(len(part.x) == 1 for part in parts.values())
    return {name: Data(*(a[0] for a in part[:3])) for name, part in parts.items()}


def beside_season(weeks: int = 12, seed: int = SEED) -> np.ndarray:
    """What the logarithms of the loads have beside their season: bursts and the rest, (hours, stations)."""
    return np.log(loads(weeks, seed)) - traffic.seasonal(np.arange(weeks * WEEK))


def autocorrelation(z: np.ndarray, lag: int) -> np.ndarray:
    centred = z - z.mean(axis=0)
    return (centred[lag:] * centred[:-lag]).mean(axis=0) / centred.var(axis=0)


@cache
def usual() -> Result:
    """48-24-24-4, η = .01, 32 patterns an update."""
    return run(Backprop(), Traffic(), replicas=24)


# The series


def test_the_series_is_the_same_for_everybody() -> None:
    """Written down once: another machine or NumPy must give the same, or figures are of different series."""
    tenths = np.rint(loads(12) * 10).astype("<i4")
    np.testing.assert_array_equal(tenths / 10, loads(12))
    assert (tenths[0].tolist(), tenths[1000].tolist()) == ([191, 170, 503, 213], [360, 489, 390, 586])
    assert hashlib.sha256(tenths.tobytes()).hexdigest()[:16] == "05d99daa047e4042"
    assert tenths.min() > 0
    assert not np.array_equal(loads(2), loads(2, seed=1))


def test_season_is_its_formula_hour_by_hour() -> None:
    found = traffic.seasonal(np.arange(2 * WEEK))
    for hour in range(2 * WEEK):
        for c, s in enumerate(STATIONS):
            wave = s.daily * math.cos(2 * math.pi * (hour - s.peak) / 24) + s.twice * math.cos(
                4 * math.pi * (hour - s.rush) / 24
            )
            weekend = s.weekend if (hour // 24) % 7 in (5, 6) else 1.0
            assert math.exp(found[hour, c]) == pytest.approx(s.level * math.exp(wave) * weekend, rel=1e-12)


def test_a_burst_fades_and_reaches_both_neighbours_an_hour_later_and_the_opposite_one_after_two() -> None:
    shocks = np.zeros((5, 4))
    shocks[1, 0] = 1.0
    b = traffic.followed(shocks, traffic.passed_on())
    np.testing.assert_allclose(b[:2], [[0, 0, 0, 0], [1, 0, 0, 0]])
    np.testing.assert_allclose(b[2], [DECAY, SPILL, 0, SPILL])
    np.testing.assert_allclose(
        b[3], [DECAY**2 + 2 * SPILL**2, 2 * DECAY * SPILL, 2 * SPILL**2, 2 * DECAY * SPILL]
    )


@pytest.mark.parametrize("onset", [ONSET, 0.0], ids=["bursts and the rest", "the rest alone"])
def test_bursts_and_the_rest_have_the_mean_and_covariances_of_their_equations(
    onset: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """n = 100 blocks of four weeks, each beyond the memory of bursts (.9 an hour): t-tests of 4 means, 16
    covariances at once and 16 an hour apart, false alarm 1e-6 in all. Covariance of b from scipy's solution
    of Σ = Aᵀ Σ A + V.
    """
    from scipy.linalg import solve_discrete_lyapunov
    from scipy.stats import t as student

    monkeypatch.setattr(traffic, "ONSET", onset)
    ring = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]])
    a, one, (low, high) = DECAY * np.eye(4) + SPILL * ring, np.eye(4), SIZES
    size, square = (low + high) / 2, (low * low + low * high + high * high) / 3
    of_bursts = solve_discrete_lyapunov(a.T, (onset * square - (onset * size) ** 2) * one)
    mean = onset * size / (1 - DECAY - 2 * SPILL)
    assert mean == pytest.approx(0.05 if onset else 0)
    at_once, later = of_bursts + SIGMA**2 * one, of_bursts @ a + PHI * SIGMA**2 * one
    u = (traffic.restless(400 * WEEK, 7) - mean).reshape(100, 4 * WEEK, 4)
    estimates = [
        (u.mean(axis=1), np.zeros(4)),
        (u.mT @ u / u.shape[1], at_once),
        (u[:, :-1].mT @ u[:, 1:] / (u.shape[1] - 1), later),
    ]
    for blocks, expected in estimates:
        score = (blocks.mean(axis=0) - expected) / (blocks.std(axis=0, ddof=1) / 10)
        assert np.abs(score).max() < student.isf(1e-6 / (2 * 36), 99)


def test_loads_are_season_bursts_and_rest_multiplied_and_rounded_to_a_tenth() -> None:
    unrounded = np.exp(traffic.seasonal(np.arange(HOURS)) + traffic.restless(HOURS, SEED))
    assert np.abs(loads(12) - unrounded).max() <= 0.05 + 1e-9


def test_the_twelve_weeks_have_a_day_a_week_and_quieter_weekends() -> None:
    """n = 2,016 hours of the one series there is."""
    z = standardised()
    day, week = autocorrelation(z, DAY), autocorrelation(z, WEEK)
    assert (day > 0.8).all()
    assert (week > day).all()
    assert (week > 0.95).all()
    for between in (DAY // 2, WEEK // 2):  # half a day off, and three days and a half
        assert (autocorrelation(z, between) < 0).all()
    weekend = np.arange(HOURS) // DAY % 7 >= 5
    ratio = loads(12)[weekend].mean(axis=0) / loads(12)[~weekend].mean(axis=0)
    np.testing.assert_allclose(ratio, [s.weekend for s in STATIONS], atol=0.02)


def test_in_the_twelve_weeks_too_a_neighbour_hears_of_a_station_an_hour_later_more_than_the_opposite_one():
    """Closed form .36 against .26; n = 2,016 hours of the one series there is."""
    u = beside_season()
    v = (u - u.mean(axis=0)) / u.std(axis=0)
    later = v[:-1].T @ v[1:] / (HOURS - 1)
    assert min(later[pair] for pair in NEIGHBOURS) > max(later[pair] for pair in OPPOSITE)


# Parts and patterns


@pytest.mark.parametrize(("window", "horizon"), [(12, 1), (1, 1), (5, 3), (168, 24)])
def test_inputs_are_the_last_hours_and_targets_the_next_ones_all_within_a_part(
    window: int, horizon: int
) -> None:
    """Brute force: every pattern of every part against the series, number by number."""
    task, z = Traffic(window=window, horizon=horizon, bound=1.0), standardised()
    weeks = {
        "training": range(8 * 168),
        "validation": range(8 * 168, 10 * 168),
        "held": range(10 * 168, 12 * 168),
    }
    for name, part in data_of(task).items():
        at = 0
        for now in weeks[name]:
            hours = range(now - window + 1, now + horizon + 1)
            if hours[0] not in weeks[name] or hours[-1] not in weeks[name]:
                continue
            assert part.x[at].tolist() == [z[h, c] for h in hours[:window] for c in range(4)]
            assert part.target[at].tolist() == [z[h, c] for h in hours[window:] for c in range(4)]
            at += 1
        assert at == len(part.x) == len(weeks[name]) - window - horizon + 1
        np.testing.assert_array_equal(part.wanted, part.target > 0)
    assert task.spec().patterns == len(data_of(task)["training"].x)


def with_series(monkeypatch: pytest.MonkeyPatch, z: np.ndarray) -> None:
    monkeypatch.setattr(traffic, "standardised", lambda: z)


@pytest.mark.parametrize("part", PARTS)
def test_no_pattern_of_a_part_knows_an_hour_of_another(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned = np.full((HOURS, 4), np.nan)
    poisoned[slice(*PARTS[part])] = 1.0
    with_series(monkeypatch, poisoned)
    for x in Traffic(window=30, horizon=4, bound=1.0).part(part):
        assert np.isfinite(x).all()


def test_the_parts_are_all_weeks_once_in_the_order_of_time() -> None:
    hours = [h for part in PARTS.values() for h in range(part.start, part.stop)]
    assert hours == list(range(HOURS))
    assert all(part.start % WEEK == 0 for part in PARTS.values())
    assert Traffic().spec().patterns == 1332


def test_loads_are_standardised_by_the_training_weeks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    z, load = standardised(), loads(12)
    np.testing.assert_allclose(z[: 8 * WEEK].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(z[: 8 * WEEK].std(axis=0), 1, rtol=1e-12)
    load[8 * WEEK :] = 1e6
    monkeypatch.setattr(traffic, "loads", lambda weeks: load)
    np.testing.assert_array_equal(standardised.__wrapped__()[: 8 * WEEK], z[: 8 * WEEK])


def test_every_replica_and_every_seed_has_the_same_patterns_in_the_precision_of_the_run() -> None:
    for a, b in zip(data_of(Traffic()).values(), data_of(Traffic(), 7, seed=5).values(), strict=True):
        np.testing.assert_array_equal(a.x, b.x)
        np.testing.assert_array_equal(a.target, b.target)
    for part in data_of(Traffic(), dtype="float32").values():
        assert {part.x.dtype, part.target.dtype} == {np.dtype("float32")}


def test_patterns_are_those_of_all_parts_by_the_hour_that_is_forecast() -> None:
    x, wanted, names, target = Traffic().patterns()
    parts = data_of(Traffic()).values()
    np.testing.assert_array_equal(x, np.concatenate([p.x for p in parts]))
    np.testing.assert_array_equal(target, np.concatenate([p.target for p in parts]))
    assert len(set(names)) == len(names) == len(wanted)
    assert (names[0], names[12], names[1332]) == (
        "week 1 Monday 12:00",
        "week 1 Tuesday 0:00",
        "week 9 Monday 12:00",
    )
    assert names[-1] == "week 12 Sunday 23:00"


# Forecasts that nobody has to learn


@pytest.mark.parametrize("season", [1, DAY, WEEK])
@pytest.mark.parametrize(("window", "horizon"), [(12, 1), (4, 3)])
def test_naive_forecasts_are_the_last_known_value_of_the_same_hour(
    season: int, window: int, horizon: int
) -> None:
    task, z = Traffic(window=window, horizon=horizon, bound=1.0), standardised()
    for part in ("validation", "held"):
        start, stop = PARTS[part]
        expected = []
        for now in range(start + window - 1, stop - horizon):
            row = []
            for hour in range(now + 1, now + 1 + horizon):
                known = hour
                while known > now:
                    known -= season
                row += z[known].tolist()
            expected.append(row)
        found = naive(task, part, season)
        np.testing.assert_array_equal(found, expected)
        target = data_of(task)[part].target.tolist()
        squares = [
            (y - d) ** 2 for a, b in zip(expected, target, strict=True) for y, d in zip(a, b, strict=True)
        ]
        assert nrmse(task, part, found) == pytest.approx(
            math.sqrt(math.fsum(squares) / len(squares)), rel=1e-12
        )


def test_the_linear_forecast_is_that_of_scikit_learn() -> None:
    from sklearn.linear_model import LinearRegression

    parts = data_of(Traffic())
    model = LinearRegression().fit(parts["training"].x, parts["training"].target)
    for name, part in parts.items():
        np.testing.assert_allclose(least_squares(Traffic(), name), model.predict(part.x), atol=1e-9)


def figure(value: float) -> str:
    return f"{value:.3f}".lstrip("0")


def test_the_figures_beside_the_task_are_those_of_these_forecasts() -> None:
    task = Traffic()
    forecasts: list[Callable[[str], Any]] = [
        lambda part: naive(task, part, 1),
        lambda part: naive(task, part, DAY),
        lambda part: naive(task, part, WEEK),
        lambda part: least_squares(task, part),
    ]
    for entry, forecast in zip(Traffic.published, forecasts, strict=False):
        for part in ("validation", "held"):
            assert figure(nrmse(task, part, forecast(part))) in entry.figure
    assert all(all(entry) and entry.trust == "computed" for entry in Traffic.published)


def test_the_bound_is_three_eighths_of_the_loss_of_the_hour_a_week_ago_and_below_the_best_linear_forecast():
    task = Traffic()
    target = data_of(task)["validation"].target

    def loss(forecast: Any) -> float:
        return float(0.5 * ((forecast - target) ** 2).sum())

    assert round(3 / 8 * loss(naive(task, "validation")), 1) == task.bound == 9.4
    assert loss(least_squares(task, "validation")) > 1.05 * 9.4


# Learning it


def test_backprop_solves_it_and_the_figures_beside_the_task_are_its_own() -> None:
    """n = 24, all solved; errors from the final weights, by hand. Another machine's rounding may move epochs
    by a few."""
    t, net, parts = usual().trained, Traffic().network(), data_of(Traffic())
    assert usual().solved.all()
    assert abs(np.median(t.epochs) - 53) <= 5
    params = {k: t.weights[k.name] for k in net.shapes}
    errors = {}
    for name, part in parts.items():
        gap = net.forward(params, part.x)[net.output] - part.target
        errors[name] = np.sqrt((gap**2).mean(axis=(1, 2)))
    assert (0.5 * errors["validation"] ** 2 * parts["validation"].target.size < 9.4).all()
    assert abs(np.median(errors["validation"]) - 0.120) < 0.001
    assert abs(np.median(errors["held"]) - 0.116) < 0.002
    for text in ("median of 53 epochs", "NRMSE .120 and .116"):
        assert text in Traffic.published[-1].figure


def test_a_sweep_less_is_not_enough() -> None:
    before = run(Backprop(), Traffic(), replicas=24, epochs=int(usual().trained.epochs[3]) - 1, only=[3])
    assert before.trained.outcome[0] == "unsolved"


def test_the_delta_rule_has_no_hidden_units_and_ends_above_least_squares() -> None:
    """On the training patterns nothing linear is below least squares, nor is it twice that; the bound it does
    not reach."""
    result = run(DeltaRule(lr=0.001), Traffic(), replicas=2, epochs=40)
    assert {name: w.shape for name, w in result.trained.weights.items()} == {
        "input-output": (2, 48, 4),
        "output": (2, 1, 4),
    }
    best = 0.5 * ((least_squares(Traffic(), "training") - data_of(Traffic())["training"].target) ** 2).sum()
    assert (best < result.trained.loss).all()
    assert (result.trained.loss < 2 * best).all()
    assert not result.solved.any()


def test_compiled_it_is_the_same() -> None:
    task = Traffic(window=3, hidden=5, layers=1)
    plain, compiled = (run(Backprop(), task, replicas=3, epochs=4, backend=name) for name in ("numpy", "jax"))
    assert compiled.trained.ran["backend"] == "jax"
    np.testing.assert_allclose(compiled.trained.loss, plain.trained.loss, rtol=1e-9)
    np.testing.assert_array_equal(compiled.trained.validation_right, plain.trained.validation_right)


NOT_FOR_NUMBERS = (
    "boltzmann",
    "mean_field",
    "restricted_boltzmann",
    "perceptron",
    "forward_forward",
    "noprop",
    "direct_random_target_projection",
)


@pytest.mark.parametrize("name", NOT_FOR_NUMBERS)
def test_what_takes_bits_refuses_in_a_sentence(name: str) -> None:
    with pytest.raises(NotApplicable, match=r"^[^\n]*traffic are n[^\n]*$"):
        run(registry.algorithms()[name](), Traffic(), replicas=1)


@pytest.mark.parametrize("name", [n for n in registry.algorithms() if n not in NOT_FOR_NUMBERS])
def test_every_other_algorithm_runs_on_it_or_says_in_a_sentence_why_not(name: str) -> None:
    task, algorithm = Traffic(window=1, hidden=2, layers=1), registry.algorithms()[name]()
    reason = algorithm.applies_to(task)
    if reason is not None:
        assert len(reason) > 10
        assert "\n" not in reason
        return
    trained = run(algorithm, task, replicas=1, epochs=1).trained
    assert np.isfinite(trained.loss).all()


# Settings


def test_settings_are_the_network() -> None:
    """Each setting reaches the network: window × 4 inputs, layers of `hidden`, horizon × 4 outputs."""
    net = Traffic(window=6, horizon=2, hidden=7, layers=3, activation="relu", bound=1.0).network()
    assert [g.size for g in net.groups] == [24, 7, 7, 7, 8]
    assert {g.activation for g in net.hidden} == {"relu"}
    assert net.output.activation == "linear"
    assert [g.size for g in Traffic().network().groups] == [48, 24, 24, 4]


def test_a_pattern_is_right_below_its_part_of_the_bound_or_within_the_margin_in_every_output() -> None:
    """E of one pattern with every output off by a is 2 a²; 324 validation patterns: the bound 6.48 allows .02
    each, a = .1."""
    part = data_of(Traffic())["validation"]
    task, within = Traffic(bound=6.48), Traffic(criterion="margin", bound=0.1)
    for off, right in ((0.099, True), (0.101, False)):
        y = part.target.copy()
        y[5] += off
        for t in (task, within):
            assert t.right(y, part).tolist() == [right or i != 5 for i in range(324)]
        assert task.met(part.target + off, part) == within.met(part.target + off, part) == right


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"window": 0}, ["window", "0", "at least 1"]),
        ({"window": 169}, ["window", "169", "at most 168"]),
        ({"horizon": 0}, ["horizon", "0", "at least 1"]),
        ({"horizon": 25}, ["horizon", "25", "at most 24"]),
        ({"horizon": 1.5}, ["horizon", "1.5", "whole"]),
        ({"hidden": 0}, ["hidden", "0", "at least 1"]),
        ({"layers": 0}, ["layers", "0", "at least 1"]),
        ({"activation": "than"}, ["activation", "'than'", "did you mean 'tanh'"]),
        ({"criterion": "side", "bound": None}, ["criterion", "'side'", "error, margin"]),
        ({"bound": None}, ["error", "needs a bound", "None"]),
    ],
    ids=str,
)
def test_a_bad_setting_gets_one_sentence(given: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InputError) as error:
        Traffic(**given)
    assert "\n" not in str(error.value)
    assert [word for word in words if word not in str(error.value)] == []


def test_a_bad_part_or_season_gets_one_sentence() -> None:
    with pytest.raises(InputError, match=r"^unknown part 'test': allowed are held, training, validation"):
        Traffic().part("test")
    with pytest.raises(InputError, match=r"^the training part has no hour 168 hours earlier[^\n]*$"):
        naive(Traffic(), "training")
    with pytest.raises(InputError, match=r"^season must be a whole number, at least 1, but 0 was given$"):
        naive(Traffic(), "held", 0)
