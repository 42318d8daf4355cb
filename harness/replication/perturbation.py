"""Claims on learning from perturbations: Werfel, Xie & Seung 2005,
Jabri & Flower 1992, Spall 1992, and steps of differences.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np

from harness.replication.claim import FOUND, Claim, Observation, Setting, nothing
from harness.replication.figure import Digits, Elsewhere, Measured, Range, once
from harness.replication.measures import exactly, mean, rate
from harness.replication.price import growth, towards
from harness.replication.step_size import best

WERFEL, JABRI, SPALL = "Werfel, Xie & Seung 2005", "Jabri & Flower 1992", "Spall 1992"
SIZES = (16, 32, 64, 128)
EPSILON, SMALLEST = np.finfo(float).eps, np.finfo(float).tiny
FEW = {"n": 500, "sizes": (8, 16, 32)}


def _growth(rule: str, what: str, other: int, n: int = 10000) -> Observation:
    return Observation(growth, {"rule": rule, "what": what, "other": other, "sizes": SIZES, "n": n}, FEW)


def power(seen: Any) -> Measured:
    """The power and its 99 % interval, from standard errors over trials."""
    half = NormalDist().inv_cdf(0.995) * float(seen["error"])
    p, n = float(seen["power"]), int(seen["n"])
    return Measured(
        p, p - half, p + half, n, f"price grows as the power {p:.3f} ± {half:.3f} (99 %), n = {n:,} trials"
    )


def same_step(gradient: Any, other: Any) -> Measured:
    """How far a small step of the one goes towards the teacher, ÷ that of the gradient, patterns shared."""
    a, b = (np.asarray(seen["along"], float) for seen in (other, gradient))
    value = float(a.mean() / b.mean())
    half = NormalDist().inv_cdf(0.995) * float((a - value * b).std(ddof=1) / np.sqrt(len(a)) / b.mean())
    text = f"{value:.3f} ± {half:.3f} (99 %) of the gradient's step, n = {len(a):,} trials"
    return Measured(value, value - half, value + half, len(a), text)


def passes(record: Any) -> Measured:
    """Whole forward passes that an update takes, from its counted work."""
    ratio = record.cost["update.work"] / record.cost["forward.work"]
    return exactly(ratio, f"{ratio:.2f} times the work of a forward pass", float(np.floor(ratio)))


def exponent(seen: Any) -> Measured:
    """The power of ten of the best step."""
    found = mean(seen["exponent"], "is the best step's power of ten", 0.99)
    text = f"{found.text}, error {np.median(seen['error']):.1g}"
    return Measured(found.value, found.low, found.high, found.n, text)


def digits(seen: Any) -> Measured:
    """The power of ten of the relative error; none is smaller than a number can be."""
    error = np.maximum(np.asarray(seen["error"], float), SMALLEST)
    found = mean(np.log10(error), "is the error's power of ten", 0.99)
    return replace(found, text=f"{found.text}, median error {np.median(error):.1g}")


def _step(scheme: str, text: str, printed: float) -> Claim:
    seen = Observation(
        best, {"scheme": scheme, "exponents": tuple(range(-12, -1)), "replicas": 200}, {"replicas": 20}
    )
    figure = Range(np.log10(printed) - 1, np.log10(printed) + 1, f"{printed:.1e}, to a factor of 10")
    return Claim(f"differences/{scheme}", "6", f"the best step of a {scheme} difference is {text}",
                 "numerical analysis", FOUND, figure, exponent, (seen,))  # fmt: skip


ALONG = {
    rule: Observation(towards, {"rule": rule, "inputs": 4, "outputs": 3, "n": 40000}, {"n": 2000})
    for rule in ("gradient", "node", "weight")
}
CLAIMS = (
    Claim("werfel2005/node_outputs", "6",
          "node perturbation is slower than the gradient by the number of outputs M", WERFEL, FOUND,
          Range(0.9, 1.1, "in proportion to M: a power from .9 to 1.1"), power,
          (_growth("node", "outputs", 4),)),
    Claim("werfel2005/node_inputs", "6", "and the number of inputs costs it nothing more", WERFEL, FOUND,
          Range(-0.1, 0.1, "not with N: a power within ±.1"), power, (_growth("node", "inputs", 8),)),
    Claim("werfel2005/weight_inputs", "6", "weight perturbation is slower again by the number of inputs N",
          WERFEL, FOUND, Range(0.9, 1.1, "in proportion to N: a power from .9 to 1.1"), power,
          (_growth("weight", "inputs", 8, 100000),)),
    Claim("werfel2005/weight_outputs", "6", "and its largest rate ∝ 1 / (M N), the dimension of the noise",
          WERFEL, FOUND, Range(0.9, 1.1, "in proportion to M: a power from .9 to 1.1"), power,
          (_growth("weight", "outputs", 4),)),
    *(Claim(f"werfel2005/small_rates_{rule}", "6", f"at small rates all learn alike: {rule} perturbation",
            WERFEL, FOUND, Range(0.95, 1.05, "the same to 5 %"), same_step, (ALONG["gradient"], ALONG[rule]))
      for rule in ("node", "weight")),
    Claim("werfel2005/parallel", "6", "perturbing all at once is faster than one by one", WERFEL, FOUND,
          Elsewhere("faster, whatever the size", "the setting that it was printed for was not read"),
          nothing),
    Claim("jabri1992/xor", "6", "perturbing weights one by one learns XOR", JABRI, FOUND, once("learnt"),
          rate,
          (Setting.of("task=xor algorithm=sequential_weight_perturbation run.replicas=200",
                      "run.replicas=8 run.epochs=1000"),)),
    Claim("spall1992/measurements", "6", "SPSA takes two measurements a step, however many weights", SPALL,
          FOUND, Digits((2,), 1e-9, "2 measurements"), passes,
          (Setting.of("task=symmetry algorithm=spsa run.replicas=2 run.epochs=1"),)),
    _step("forward", "√ε", 1.5e-8),
    _step("central", "ε^(1/3)", 6.1e-6),
    Claim("differences/complex", "6", "a complex step may be as tiny as 1e-20, with errors of ε",
          "numerical analysis", FOUND,
          Range(np.log10(EPSILON) - 1, np.log10(EPSILON) + 1, "ε = 2.2e-16, to a factor of 10"), digits,
          (Observation(best, {"scheme": "complex", "exponents": (-20,), "replicas": 200},
                       {"replicas": 20}),)),
    Claim("baydin2022/time", "6", "the forward gradient is up to twice as fast by the clock",
          "Baydin et al. 2022", FOUND,
          Elsewhere("up to 2×", "a time of another program on another machine"), nothing),
)  # fmt: skip
