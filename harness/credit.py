"""`python -m harness.credit algorithm=… task=…`: is an algorithm's credit the gradient? A check for anyone's algorithm.

At the initial weights of a few networks the credit of each weight matrix and bias is held to differences of the loss,
which know nothing of slopes or ways back, and to the exact gradient. A credit that draws random numbers is drawn many
times (`draws=2000`) at the weights of one network, and its mean is held to the gradient: by how many standard errors is
each weight off, and is that more than chance makes of so many weights?
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from algorithms.finite_differences import FiniteDifferences, best_step, differences
from harness.agreement import Agreement, GradientCheck
from harness.algorithm import Algorithm, Batch, CreditAlgorithm
from harness.alignment import TOTAL, align, exact, spread
from harness.cell import Cell
from harness.errors import InputError, whole
from harness.network import Key, Network
from harness.rand import NOISE, PROBE, SPLIT, WEIGHTS, Rand
from harness.tree import leaves, tree_map

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
    is_credit: bool

    @property
    def weights(self) -> dict[Key, Array]:
        """The parameters of the task's network, by its keys."""
        return _by_key(self.net, self.state["params"])

    def first(self, copies: int = 1) -> _Setting:
        """The first network alone, so many times."""
        patterns = {n: getattr(self.batch, n) for n in ("x", "target", "wanted")}
        own = {n: a if a.ndim == 2 else a[0] for n, a in patterns.items()}
        state = tree_map(lambda a: np.repeat(a[:1], copies, axis=0), self.state)
        return self._replace(state=state, batch=self.batch._replace(**own))

    def credit(self, rand: Rand) -> dict[Key, Array]:
        """The credit, or the weight change of an update with its sign turned; zero for what got none."""
        weights, state = self.weights, self.state
        if not isinstance(self.algorithm, CreditAlgorithm):
            new = _by_key(self.net, self.algorithm.update(self.net, state, self.batch, rand).state["params"])
            return {key: w - new[key] for key, w in weights.items()}
        given = self.algorithm.credit(self.net, state["params"], state["memory"], self.batch, rand).gradient
        for key, credit in given.items():
            if key not in state["params"]:
                raise InputError(f"{self.algorithm.name} gives credit to {getattr(key, 'name', key)!r}, which is no parameter")
            if key in weights and credit.shape != weights[key].shape:
                raise InputError(
                    f"{self.algorithm.name} gives {key.name!r} a credit of shape {credit.shape[1:]} a network, "
                    f"but its weights are {weights[key].shape[1:]}"
                )
        return {key: given.get(key, np.zeros_like(w)) for key, w in weights.items()}


def check(cell: Cell, draws: int = DRAWS) -> GradientCheck:
    """Hold the credit of a cell's algorithm to the gradient.

    Raises `InputError` if the algorithm does not apply to the task, or does not learn the weights of its network.
    """
    if cell.not_applicable:
        raise InputError(cell.not_applicable)
    whole("draws", draws, 2)
    seed, replicas = cell.settings.seed, range(min(NETWORKS, cell.settings.replicas))
    with np.errstate(all="ignore"):
        setting = _setting(cell, replicas)
        rand = Rand(seed, replicas, PROBE, cell.settings.dtype, block=1)
        credit = setting.credit(rand)
        notes = [] if setting.is_credit else ["not a credit algorithm: its credit is the weight change of an update, sign turned"]
        if patterns_left_out := cell.task.training_patterns - setting.batch.x.shape[-2]:
            notes.append(f"{patterns_left_out:,} more training patterns are left out: a gradient is one on any of them")
        if rand.taken:
            groups = _noisy(setting, seed, draws, cell.settings.dtype)
            if not setting.is_credit:
                notes.append("its size is not the gradient's: mean change ÷ ratio is what z and bias compare")
            notes.append(f"limit: beyond it by chance {CHANCE:g} of the time; usual: half of the time, for so many weights")
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
    algorithm, task, net = cell.algorithm, cell.task, cell.task.network()
    seed, dtype = cell.settings.seed, cell.settings.dtype
    data = task.data(Rand(seed, replicas, SPLIT, block=1), dtype)
    x, target, wanted = (a[..., :PATTERNS, :] for a in data[:3])
    weights = net.initial(Rand(seed, replicas, WEIGHTS, dtype, block=1), task.init, task.initial_scale)
    state = algorithm.init(net, weights, Rand(seed, replicas, NOISE, dtype, block=1))
    named = dict(leaves(state["params"]))
    for key, shape in net.shapes.items():
        if key.name not in named or named[key.name].shape[-2:] != shape:
            raise InputError(
                f"{algorithm.name} cannot be checked on {task.name}: "
                f"its weights are not those of the task's network ({key.name!r} is missing or of another shape)"
            )
    batch = Batch(x, target, wanted, np.zeros((), dtype), task.loss)
    return _Setting(algorithm, net, state, batch, isinstance(algorithm, CreditAlgorithm))


def _exact(cell: Cell, setting: _Setting, credit: dict[Key, Array]) -> tuple[dict[str, Agreement], list[str]]:
    """A credit without noise: digits of agreement with differences, for each network."""
    net, notes = setting.net, []
    wide = {key: w.astype(np.float64) for key, w in setting.weights.items()}  # in float32 differences have 4 digits
    batch = setting.batch._replace(x=setting.batch.x.astype(np.float64), target=setting.batch.target.astype(np.float64))
    gradient = _rows(net, exact(net, wide, batch))
    found = {name: row.astype(np.float64) for name, row in _rows(net, credit).items()}
    references: dict[str, dict[str, Array]] = {}
    if net.size**2 * batch.x.shape[-2] * len(found[TOTAL]) > EFFORT:
        notes.append(f"central, complex: {net.size:,} weights are too many for differences")
    else:
        schemes = ["central", "complex"]
        if why := FiniteDifferences(scheme="complex").applies_to(cell.task):
            notes.append(f"complex: {why.split(': ')[0]}")
            schemes.remove("complex")
        for scheme in schemes:
            step = best_step(scheme, np.float64)
            references[scheme] = _rows(net, differences(net, wide, batch, scheme, step).gradient)
    if not setting.is_credit and references:
        notes.append("its size is not the gradient's: change ÷ ratio is what digits compare")
    scale = 1.0 if setting.is_credit else _or_one(align(found[TOTAL], gradient[TOTAL]).ratio)[:, None]
    groups = {}
    for name, row in found.items():
        digits = {scheme: _digits(row / scale, reference[name]) for scheme, reference in references.items()}
        groups[name] = Agreement(
            row.shape[-1],
            _word(row, gradient[name]),
            digits.get("central", math.nan),
            digits.get("complex", math.nan),
            *map(_mean, align(row, gradient[name])),
        )
    return groups, notes


def _noisy(setting: _Setting, seed: int, draws: int, dtype: str) -> dict[str, Agreement]:
    """A credit that draws: its mean over many draws, which run as replicas of one network."""
    net, one = setting.net, setting.first()
    if draws * net.size > ROOM:
        raise InputError(f"draws of {net.size:,} weights must be at most {ROOM // net.size:,}, but {draws} was given")
    gradient = _rows(net, exact(net, one.weights, one.batch))
    size = max(1, CHUNK // max(net.size, one.batch.x.shape[-2] * sum(g.size for g in net.groups)))
    parts = []
    for start in range(0, draws, size):
        numbers = range(start, min(start + size, draws))
        part = setting.first(len(numbers)).credit(Rand(seed, numbers, PROBE, dtype, block=1))
        parts.append(_rows(net, part))
    drawn = {name: np.concatenate([part[name] for part in parts]).astype(np.float64) for name in gradient}
    scale = 1.0
    if not setting.is_credit:
        scale = float(_or_one(align(drawn[TOTAL].mean(axis=0), gradient[TOTAL][0]).ratio))
    groups = {}
    for name, values in drawn.items():
        g = gradient[name][0].astype(np.float64)
        mean = _mean_of(values)
        angle, ratio, signs = map(float, align(mean, g))
        z, n = z_scores(values / scale, g), values.shape[-1]
        there = ~np.isnan(z)
        bias, snr = spread(values[:, None] / scale, g[None])
        noise = bool(there.any())
        groups[name] = Agreement(
            n,
            _word(mean, g) or ("" if noise else "no noise"),
            math.nan,
            math.nan,
            angle,
            ratio,
            signs,
            float(np.abs(z[there]).max()) if noise else math.nan,
            largest(int(there.sum()), 0.5) if noise else math.nan,
            largest(int(there.sum()), CHANCE) if noise else math.nan,
            float(bias[0]),
            float(snr[0]) if noise else math.nan,
        )
    return groups


def z_scores(drawn: Array, gradient: Array) -> Array:
    """(mean − ∇) ÷ standard error of each weight for draws (D, n); NaN where all draws are the same."""
    mean = _mean_of(drawn)
    error = np.sqrt(((drawn - mean) ** 2).sum(axis=0) / (len(drawn) - 1) / len(drawn))
    return np.where(error > 0, (mean - gradient) / np.where(error > 0, error, 1.0), np.nan)


def largest(count: int, chance: float) -> float:
    """What the largest |z| of `count` normal numbers exceeds with this chance; correlated ones exceed it less often.

    Šidák 1967, JASA 62:626-633.
    """
    beyond = -math.expm1(math.log1p(-chance) / count)  # of one of them, both sides
    return -NormalDist().inv_cdf(beyond / 2)


def _mean_of(drawn: Array) -> Array:
    # from the first on: where all draws are the same, so is the mean, to the bit
    return drawn[0] + (drawn - drawn[0]).mean(axis=0)


def _by_key(net: Network, params: Any) -> dict[Key, Array]:
    named = dict(leaves(params))
    return {key: named[key.name] for key in net.shapes}


def _rows(net: Network, credit: Mapping[Key, Array]) -> dict[str, Array]:
    """Each parameter as rows (networks, n), and all of them together."""
    rows = {key.name: credit[key].reshape(len(credit[key]), -1) for key in net.shapes}
    return rows | {TOTAL: np.concatenate(list(rows.values()), axis=-1)}


def _digits(row: Array, reference: Array) -> float:
    """The least digits of agreement of any network; NaN where either is zero."""
    if not row.any():
        return math.nan
    size = np.linalg.norm(reference, axis=-1)
    error = np.linalg.norm(row - reference, axis=-1)[size > 0] / size[size > 0]
    return float(-np.log10(np.maximum(error, np.finfo(np.float64).eps)).min() + 0.0) if len(error) else math.nan


def _word(row: Array, gradient: Array) -> str:
    if not np.isfinite(row).all():
        return "not finite"
    return "zero gradient" if not gradient.any() else "" if row.any() else "zero credit"


def _mean(values: Array) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else math.nan


def _or_one(ratio: Array) -> Array:
    return np.where(ratio > 0, ratio, 1.0)


def main() -> None:
    """Print the check of one cell, or of several one after another; exit code 2 for what cannot be checked."""
    from harness.command import cells_of, one_sentence

    with one_sentence():
        given = [text for text in sys.argv[1:] if text.startswith("draws=")]
        draws = _number(given[-1].removeprefix("draws=")) if given else DRAWS
        cells, _ = cells_of([text for text in sys.argv[1:] if text not in given])
    failed = False
    for i, cell in enumerate(cells):
        try:
            print(("\n" if i else "") + str(check(cell, draws)))
        except InputError as error:  # the others are checked all the same
            print(f"harness: {error}", file=sys.stderr)
            failed = True
    if failed:
        sys.exit(2)


def _number(text: str) -> int:
    try:
        draws = int(text.replace("_", ""))
    except ValueError:
        raise InputError(f"draws must be a whole number, at least 2, but {text!r} was given") from None
    whole("draws", draws, 2)
    return draws


if __name__ == "__main__":
    main()
