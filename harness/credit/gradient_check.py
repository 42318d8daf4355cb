"""Is an algorithm's credit the gradient? A check for anyone's algorithm:
`python -m harness.credit` prints it.

At the initial weights of a few networks the credit of each weight matrix and bias is held to differences of
the loss, which know nothing of slopes or ways back, and to the exact gradient. A credit that draws random
numbers is drawn many times (`draws=2000`) at the weights of one network, and its mean is held to the
gradient: by how many standard errors is each weight off, and is that more than chance makes of so many
weights? What descends an objective of its own, as Boltzmann machines do, is held to the exact gradient of
that (`harness.credit.reference`).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from algorithms.finite_differences import FiniteDifferences
from harness.cells.cell import Cell
from harness.cells.start import start
from harness.core.algorithm import Algorithm, Batch, CreditAlgorithm
from harness.core.differences import best_step, differences
from harness.core.errors import InputError, whole
from harness.core.network import Network
from harness.core.rand import PROBE, Rand
from harness.core.tree import tree_map
from harness.credit.averages import fitted_scale, largest, or_one, z_scores
from harness.credit.compare import TOTAL, align, mean_of, spread
from harness.credit.reference import Reference, credited, network_weights, reference
from harness.credit.report import Agreement, GradientCheck

Array = Any
NETWORKS = 4  # whose initial weights a credit without noise is checked at
PATTERNS = 128  # at most so many: a gradient is one on any of them
DRAWS = 2000
EFFORT = 5e9  # multiply-adds beyond which differences are left out
ROOM = 2**26  # numbers in all draws of a credit
CHUNK = 2**21  # activities held at once while drawing
CHANCE = 1e-3  # how often an unbiased credit has a weight beyond `z_limit` somewhere in a group


class _Setting(NamedTuple):
    """Some networks of a cell at their initial weights; leading axis: networks."""

    algorithm: Algorithm
    net: Network
    state: dict[str, Any]
    batch: Batch
    found: Reference
    """In float64: in float32 differences have 4 digits."""

    @property
    def is_credit(self) -> bool:
        """Whether the algorithm says what credit it gives."""
        return isinstance(self.algorithm, CreditAlgorithm)

    def first(self, copies: int = 1) -> _Setting:
        """The first network alone, so many times; its gradient once."""
        patterns = {n: getattr(self.batch, n) for n in ("x", "target", "wanted")}
        own = {n: a[:1] for n, a in patterns.items()}
        state = tree_map(lambda a: np.repeat(a[:1], copies, axis=0), self.state)
        exact = replace(self.found, gradient={name: g[:1] for name, g in self.found.gradient.items()})
        return self._replace(state=state, batch=self.batch._replace(**own), found=exact)

    def gradient(self) -> dict[str, Array]:
        """The exact gradient as rows (networks, n)."""
        return self.found.rows(self.found.gradient)

    def credit(self, rand: Rand) -> dict[str, Array]:
        """The credit, or the weight change of an update
        with its sign turned, as rows; zero for what got none.
        """
        return self.found.rows(credited(self.algorithm, self.net, self.state, self.batch, rand))


def check(cell: Cell, draws: int = DRAWS) -> GradientCheck:
    """Hold the credit of a cell's algorithm to the gradient.

    Raises `InputError` if the algorithm does not apply to the task, or if there is no gradient to hold it to.
    """
    cell.check()
    whole("draws", draws, 2)
    seed, replicas = cell.settings.seed, range(min(NETWORKS, cell.settings.replicas))
    with np.errstate(all="ignore"):
        setting = _setting(cell, replicas)
        rand = Rand(seed, replicas, PROBE, cell.settings.dtype)
        credit = setting.credit(rand)
        notes = (
            []
            if setting.is_credit
            else ["not a credit algorithm: its credit is the weight change of an update, sign turned"]
        )
        if setting.found.objective:
            notes.append(f"the gradient is that of {setting.found.objective}")
        if patterns_left_out := cell.task.spec().patterns - setting.batch.x.shape[-2]:
            notes.append(
                f"{patterns_left_out:,} more training patterns are left out: a gradient is one on any of them"
            )
        if rand.taken:
            groups, scale = _noisy(setting, seed, draws, cell.settings.dtype)
            if not setting.is_credit:
                notes.append(
                    "its size is not the gradient's: "
                    f"mean change ÷ {scale:.3g}, fitted, is what z and bias compare"
                )
            notes.append(
                f"limit: beyond it by chance {CHANCE:g} of the time; "
                "usual: half of the time, for so many weights"
            )
        else:
            groups, why = _exact(cell, setting, credit)
            notes += why
    return GradientCheck(
        algorithm=cell.algorithm.name,
        task=cell.task.name,
        networks=1 if rand.taken else len(replicas),
        patterns=setting.batch.x.shape[-2],
        draws=draws if rand.taken else 1,
        groups=groups,
        notes=tuple(notes),
    )


def _setting(cell: Cell, replicas: range) -> _Setting:
    algorithm, task = cell.algorithm, cell.task
    at = start(algorithm, task, cell.settings, replicas, PATTERNS)
    exact = reference(algorithm, at.net, _wide(at.state), _precise(at.batch))
    if isinstance(exact, str):
        raise InputError(f"{algorithm.name} cannot be checked on {task.name}: {exact}")
    return _Setting(algorithm, at.net, at.state, at.batch, exact)


def _wide(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "params": tree_map(lambda a: a.astype(np.float64), state["params"])}


def _precise(batch: Batch) -> Batch:
    return batch._replace(x=batch.x.astype(np.float64), target=batch.target.astype(np.float64))


def _exact(cell: Cell, setting: _Setting, credit: dict[str, Array]) -> tuple[dict[str, Agreement], list[str]]:
    """A credit without noise: digits of agreement with differences, for each network."""
    gradient = setting.gradient()
    credits = {name: row.astype(np.float64) for name, row in credit.items()}
    references, notes = _differences(cell, setting)
    if not setting.is_credit and references:
        notes.append("its size is not the gradient's: change ÷ ratio is what digits compare")
    scale = 1.0 if setting.is_credit else or_one(align(credits[TOTAL], gradient[TOTAL]).ratio)[:, None]
    groups = {}
    for name, row in credits.items():
        digits = {scheme: _digits(row / scale, rows[name]) for scheme, rows in references.items()}
        groups[name] = Agreement(
            row.shape[-1],
            _word(row, gradient[name]),
            digits.get("central", math.nan),
            digits.get("complex", math.nan),
            *map(_mean, align(row, gradient[name])),
        )
    return groups, notes


def _differences(cell: Cell, setting: _Setting) -> tuple[dict[str, dict[str, Array]], list[str]]:
    """Gradients by central differences and by the complex step,
    as far as there are any; and why there are not.
    """
    net, batch = setting.net, _precise(setting.batch)
    weights = network_weights(net, _wide(setting.state))
    if setting.found.objective or isinstance(weights, str):
        return {}, []  # differences of the loss say nothing of another objective
    if net.size**2 * batch.patterns * len(next(iter(weights.values()))) > EFFORT:
        return {}, [f"central, complex: {net.size:,} weights are too many for differences"]
    schemes, notes = ["central", "complex"], []
    if why := FiniteDifferences(scheme="complex").applies_to(cell.task):
        notes.append(f"complex: {why.split(': ')[0]}")
        schemes.remove("complex")
    gradients = {}
    for scheme in schemes:
        given = differences(net, weights, batch, scheme, best_step(scheme, np.float64)).gradient
        gradients[scheme] = setting.found.rows({key.name: g for key, g in given.items()})
    return gradients, notes


def _noisy(setting: _Setting, seed: int, draws: int, dtype: str) -> tuple[dict[str, Agreement], float]:
    """A credit that draws: its mean over many draws beside the gradient; and what both were scaled by."""
    gradient = setting.first().gradient()
    drawn = _draws(setting, seed, draws, dtype)
    scale = 1.0 if setting.is_credit else fitted_scale(drawn[TOTAL], gradient[TOTAL][0])
    groups = {
        name: _unbiased(values, gradient[name][0].astype(np.float64), scale) for name, values in drawn.items()
    }
    return groups, scale


def _draws(setting: _Setting, seed: int, draws: int, dtype: str) -> dict[str, Array]:
    """Credits (draws, n) of each group, for one network: its draws run as replicas, some at a time."""
    one = setting.first()
    gradient = one.gradient()
    weights = gradient[TOTAL].shape[-1]
    if draws * weights > ROOM:
        raise InputError(
            f"draws of {weights:,} weights must be at most {ROOM // weights:,}, but {draws} was given"
        )
    size = max(1, CHUNK // max(weights, one.batch.patterns * setting.net.workspace))
    parts = []
    for first in range(0, draws, size):
        numbers = range(first, min(first + size, draws))
        parts.append(setting.first(len(numbers)).credit(Rand(seed, numbers, PROBE, dtype)))
    return {name: np.concatenate([part[name] for part in parts]).astype(np.float64) for name in gradient}


def _unbiased(values: Array, gradient: Array, scale: float) -> Agreement:
    """Whether the mean of draws (D, n) is the `gradient` (n,), times `scale`.

    z-scores of the mean of D draws against the gradient, and the largest |z| to expect among n weights by
    chance; weights that never vary have no z.
    """
    mean = mean_of(values)
    angle, ratio, signs = map(float, align(mean, gradient))
    z = z_scores(values / scale, gradient)
    z = np.abs(z[~np.isnan(z)])
    bias, signal_to_noise = spread(values[:, None] / scale, gradient[None])
    word, noise = _word(mean, gradient), bool(len(z))
    return Agreement(
        values.shape[-1],
        word or ("" if noise else "no noise"),
        math.nan,
        math.nan,
        angle,
        ratio,
        signs,
        float(z.max()) if noise else math.nan,
        largest(len(z), 0.5) if noise else math.nan,
        largest(len(z), CHANCE) if noise else math.nan,
        float(bias[0]),
        float(signal_to_noise[0]) if noise else math.nan,
    )


def _digits(row: Array, reference: Array) -> float:
    """The least digits of agreement of any network; NaN where either is zero."""
    if not row.any():
        return math.nan
    size = np.linalg.norm(reference, axis=-1)
    error = np.linalg.norm(row - reference, axis=-1)[size > 0] / size[size > 0]
    worst = max(float(error.max()), float(np.finfo(np.float64).eps)) if len(error) else math.nan
    return -math.log10(worst) + 0.0


def _word(row: Array, gradient: Array) -> str:
    if not np.isfinite(row).all():
        return "not finite"
    return "zero gradient" if not gradient.any() else "" if row.any() else "zero credit"


def _mean(values: Array) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else math.nan
