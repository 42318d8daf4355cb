"""The credit probe: at chosen epochs of a run, how every replica's credit compares with its exact gradient.

It looks at the run and takes no part in it: weights are read, random numbers come from a stream of its own,
and the run has the same bits with the probe and without. Credit algorithms are asked for their credit on all
training patterns; of others the weight change of an update is taken with its sign turned. The gradient is
that of the task's loss, or of what an algorithm descends in its place (`harness.credit.reference`).
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.algorithm import Batch, CreditAlgorithm
from harness.core.losses import SquaredError
from harness.core.rand import PROBE, Rand
from harness.credit.compare import TOTAL, added_up, align, exact, gauss_newton, size, spread
from harness.credit.reference import Reference, credited, network_weights, reference
from harness.training.curves import QUANTILES
from harness.training.plan import Plan
from harness.training.watch import Moment

Array = Any
QUANTITIES = ("angle", "ratio", "signs", "mean_angle", "bias", "snr", "newton", "backprop")
JACOBIAN = 2**20  # numbers in the Jacobian of one network up to which it is enumerated
BLOCK = 2**23  # and in those of the networks that are taken at once


def probe_epochs(budget: int, points: int) -> NDArray[np.int64]:
    """At most `points` log-spaced epochs from 0 to before the budget ends."""
    return np.unique(np.round(np.geomspace(1, budget, points)).astype(np.int64) - 1)


def quantile_columns(
    epochs: NDArray[np.int64], compared: dict[str, NDArray[np.float64]]
) -> dict[str, NDArray[Any]]:
    """A row for each quantity, edge and epoch:
    quantiles over replicas where it is defined, and the number of those.
    """
    rows: dict[str, list[Any]] = {name: [] for name in ("quantity", "edge", "epoch", "defined")}
    rows |= {f"q{round(100 * q):02d}": [] for q in QUANTILES}
    for name, values in compared.items():
        quantity, edge = name.split("/", 1)
        for epoch, column in zip(epochs, values.T, strict=True):
            there = column[~np.isnan(column)]
            rows["quantity"].append(quantity)
            rows["edge"].append(edge)
            rows["epoch"].append(epoch)
            rows["defined"].append(len(there))
            for q in QUANTILES:
                rows[f"q{round(100 * q):02d}"].append(np.quantile(there, q) if len(there) else np.nan)
    return {name: np.array(values) for name, values in rows.items()}


class Probe:
    """What was found for a batch of replicas."""

    def __init__(self, plan: Plan, replicas: Sequence[int], points: int, draws: int) -> None:
        """Looks at `points` epochs; credits that draw random numbers are drawn `draws` times."""
        self.epochs = probe_epochs(plan.epochs, points)
        self.draws, self.replicas = draws, len(replicas)
        self.rand = Rand(plan.seed, replicas, PROBE, plan.dtype)
        self.found: dict[str, NDArray[np.float64]] = {}
        """By 'quantity/edge', (R, epochs); NaN where a replica was finished or had no direction to compare.
        """
        self.seconds = 0.0
        self.reason = ""
        """Why there is nothing to compare."""
        self.objective = ""
        """What the gradient is of; '' is the task's loss."""

    def look(self, moment: Moment) -> None:
        """Compare at this moment."""
        if self.reason:
            return
        start = perf_counter()
        found = reference(moment.algorithm, moment.net, moment.state, moment.batch)
        if isinstance(found, str):
            self.reason = found
            return
        self.objective = found.objective
        self._compare(moment, found)
        self.seconds += perf_counter() - start

    def _compare(self, moment: Moment, found: Reference) -> None:
        before = self.rand.taken
        credits = [self._credit(moment, found)]
        if self.rand.taken > before:
            credits += [self._credit(moment, found) for _ in range(self.draws - 1)]
        gradient = found.vectors(found.gradient)
        drawn = {name: np.stack([c[name] for c in credits]) for name in gradient}
        scale: Array = 1.0
        # a change has not the gradient's size
        if len(credits) > 1 and not isinstance(moment.algorithm, CreditAlgorithm):
            scale = size(drawn[TOTAL], gradient[TOTAL])[..., None]
        for name, g in gradient.items():
            for quantity, values in align(drawn[name][0], g)._asdict().items():
                self._note(moment, f"{quantity}/{name}", values)
            if len(credits) > 1:
                bias, snr = spread(drawn[name] / scale, g)
                self._note(moment, f"mean_angle/{name}", align(added_up(drawn[name]) / len(credits), g).angle)
                self._note(moment, f"bias/{name}", bias)
                self._note(moment, f"snr/{name}", snr)
        if not found.objective:
            self._newton(moment, drawn[TOTAL][0])
        elif isinstance(moment.algorithm, CreditAlgorithm):
            self._backprop(moment, found, {name: each[0] for name, each in drawn.items()})

    def _newton(self, moment: Moment, credit: Array) -> None:
        net, batch, weights = moment.net, moment.batch, network_weights(moment.net, moment.state)
        numbers = net.size * net.output.size * batch.x.shape[-2]
        if (
            numbers > JACOBIAN
            or isinstance(weights, str)
            or net.timed
            or not isinstance(batch.loss, SquaredError)
        ):
            return
        together = max(1, BLOCK // numbers)
        blocks = [slice(i, i + together) for i in range(0, len(moment.rows), together)]
        steps = [gauss_newton(net, {k: w[b] for k, w in weights.items()}, _of(batch, b)) for b in blocks]
        self._note(moment, f"newton/{TOTAL}", align(credit, np.concatenate(steps)).angle)

    def _backprop(self, moment: Moment, found: Reference, credit: dict[str, Array]) -> None:
        """Of a rule with an objective of its own on the task's weights: its angle to what backprop gives."""
        weights = network_weights(moment.net, moment.state)
        if not isinstance(weights, str):
            gradient = exact(moment.net, weights, moment.batch)
            loss = found.vectors({key.name: gradient[key] for key in weights})
            for name, g in loss.items():
                self._note(moment, f"backprop/{name}", align(credit[name], g).angle)

    def _credit(self, moment: Moment, found: Reference) -> dict[str, Array]:
        return found.vectors(credited(moment.algorithm, moment.net, moment.state, moment.batch, self.rand))

    def said(self) -> dict[str, Any]:
        """What a record says of it: its seconds,
        what credit was compared with if not the loss, or why with nothing.
        """
        words = {"not_probed": self.reason, "reference": self.objective}
        return {"probe_seconds": self.seconds} | {name: text for name, text in words.items() if text}

    def _note(self, moment: Moment, name: str, values: Array) -> None:
        if name not in self.found:
            self.found[name] = np.full((self.replicas, len(self.epochs)), np.nan)
        rows = moment.rows[moment.running]
        self.found[name][rows, self.epochs == moment.epoch] = values[moment.running]

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Forget the streams of the replicas where `mask` (R,) is False."""
        self.rand.keep(mask)

    def saved(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """What it found, and how far its streams are."""
        words = {name: getattr(self, name) for name in ("seconds", "reason", "objective")}
        return self.found, words | {"position": self.rand.position()}

    def put_back(self, arrays: dict[str, NDArray[Any]], words: dict[str, Any]) -> None:
        """Stand where `saved` was asked."""
        self.found = arrays
        self.seconds, self.reason, self.objective = (words[n] for n in ("seconds", "reason", "objective"))
        self.rand.go_to(words["position"])


def _of(batch: Batch, replicas: slice) -> Batch:
    """What some of the replicas see; patterns that all share stay shared."""
    x, target, wanted = (a if len(a) == 1 else a[replicas] for a in batch[:3])
    return batch._replace(x=x, target=target, wanted=wanted)
