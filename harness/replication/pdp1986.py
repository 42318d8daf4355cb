"""Claims of Rumelhart, Hinton & Williams 1986, Parallel Distributed Processing vol. 1 ch. 8, pp. 318-362."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from harness.core.rand import NOISE, Rand
from harness.inspection.kernels import BAR, CENTRE, DIAGONAL, TEMPLATES
from harness.replication import kernels, printed
from harness.replication.claim import COMPUTED, FOUND, RECALLED, Claim, Observation, Setting
from harness.replication.figure import Digits, Elsewhere, Measured, Order, Rate, Side, once, one_run
from harness.replication.local_minimum import sweeps_to_leave
from harness.replication.measures import (
    bootstrapped,
    bounds,
    exactly,
    failures,
    gap,
    rate,
    ratio,
    share,
    times,
)
from harness.replication.networks import between_codes, counting, level
from harness.tasks.addition import Addition
from harness.tasks.negation import Negation
from harness.tasks.parity import Parity
from harness.tasks.symmetry import Symmetry
from harness.tasks.xor import Xor

PDP, OTHERS = "PDP vol. 1 ch. 8", "independent reproductions of PDP vol. 1 ch. 8"
FEW = "run.replicas=8 run.epochs=3000"
SHORTCUT = Setting.of("experiment=pdp1986/xor_shortcut", FEW)
WITHOUT = Setting.of("experiment=pdp1986/xor_shortcut algorithm.optimiser.momentum=0.0", FEW)
MINIMUM = Setting.of("experiment=pdp1986/xor_local_minimum run.replicas=400", FEW)
HIDDEN = {
    h: Setting.of(f"experiment=pdp1986/xor_hidden_units task.hidden={h} run.replicas=200", FEW)
    for h in (2, 4, 8, 32)
}
PARITY = Setting.of("experiment=pdp1986/parity", FEW)
ENCODER = Setting.of("experiment=pdp1986/encoder task.criterion=margin task.bound=0.2", FEW)
SINGLETON = Setting.of("experiment=pdp1986/singleton task.criterion=margin task.bound=0.2", FEW)
SYMMETRY = Setting.of("experiment=pdp1986/symmetry", FEW)
ADDITION, MINIMAL, PLAIN, PLAINEST, NEGATION = (
    Setting.of(f"experiment=pdp1986/{overrides}", "run.replicas=12")
    for overrides in (
        "addition",
        "addition_minimal",
        "addition_without_shortcut",
        "addition_without_shortcut task.hidden=2",
        "negation",
    )
)
T_OR_C = Setting.of(
    "experiment=pdp1986/t_c task.criterion=margin task.bound=0.2", "run.replicas=8 run.epochs=1000"
)
ESCAPE = {
    lr: Observation(
        sweeps_to_leave, {"lr": lr, "momentum": 0.9, "replicas": 200, "sweeps": 2000}, {"replicas": 8}
    )
    for lr in (0.25, 0.5)
}


def leaves(slow: Any, fast: Any) -> Measured:
    """Who gets out of the printed minimum at η = .5, beside η = .25."""
    found, other = share(fast["left"], "leave it at η = .5", 0.99), share(slow["left"], "at .25")
    return Measured(found.value, found.low, found.high, found.n, f"{found.text}; {other.text}", found.hits)


def per_doubling(*records: Any) -> Measured:
    """Presentations more or less per doubling of hidden units:
    the slope of the median epochs against log2 H.
    """
    x = np.log2(list(HIDDEN)) - np.log2(list(HIDDEN)).mean()

    def slope(rows: Any) -> Any:
        medians = [np.quantile(row, 0.5, axis=-1, method="inverted_cdf") for row in rows]
        return sum(
            w * np.where(np.isfinite(m), m, np.nan) for w, m in zip(x / (x**2).sum(), medians, strict=True)
        )

    return bootstrapped(slope, [bounds(record)[1] for record in records], "presentations a doubling")


def of_figure(task: Any, weights: Any, threshold: bool = False) -> Measured:
    """Outputs of a network at printed weights, of threshold units or its own."""
    net = printed.thresholds(task.network()) if threshold else task.network()
    y = printed.outputs(task, net, printed.weights(net, weights)).ravel()
    return exactly(float(y[0]), "outputs " + ", ".join(f"{v:.4g}" for v in y), *map(float, y))


def flat() -> Measured:
    """Loss and steepest slope at the printed minimum, targets .1 and .9."""
    task = Xor(target_off=0.1, target_on=0.9)
    net, batch = task.network(), printed.batch_of(task)
    credit = Backprop().credit(net, printed.weights(net, printed.FIG5), {}, batch, Rand(0, [0], NOISE))
    steepest = max(float(np.abs(g).max()) for g in credit.gradient.values())
    return exactly(steepest, f"E = {float(batch.cost(credit.output)):.3f}, steepest slope {steepest:.2g}")


def right_of(*cases: Any) -> Measured:
    """Patterns right over several networks of threshold units."""
    right = [
        printed.is_right(task, printed.outputs(task, net, printed.weights(net, weights)))
        for task, weights in cases
        for net in [printed.thresholds(task.network())]
    ]
    found, all_of = sum(int(r.sum()) for r in right), sum(r.size for r in right)
    return exactly(found / all_of, f"{found} of {all_of} patterns right", found / all_of)


def negation() -> Measured:
    """The largest error of the printed network."""
    task = Negation(target_off=0.0, target_on=1.0)
    right = int(printed.is_right(task, printed.computed(task, printed.fig12())).sum())
    worst = printed.worst(task, printed.fig12())
    return exactly(worst, f"{right} of 16 right, largest error {worst:.3f}", float(right), worst)


def symmetry() -> Measured:
    """Lowest and highest output for palindromes, highest for the others, Σ (y − d)²."""
    task = Symmetry()
    y, wanted = printed.computed(task, printed.SYMMETRY), task.patterns().wanted
    found = (
        float(y[wanted].min()),
        float(y[wanted].max()),
        float(y[~wanted].max()),
        float(((y - wanted) ** 2).sum()),
    )
    right = int(printed.is_right(task, y).sum())
    return exactly(
        found[0], f"{right} of 64 right; " + ", ".join(f"{v:.3f}" for v in found), float(right), *found
    )


def detector(kind: str) -> Claim:
    """That shared kernels become this one of the four kinds of detector:
    more often than random kernels are taken for it.
    """
    return Claim(f"pdp1986/t_c_{kind}", "1.3",
                 f"shared kernels of the T-C network become detectors of the kind {kind}", PDP, FOUND,
                 Side(kernels.RANDOM, True, "in some of an unstated number of runs"),
                 lambda record: kernels.of_kind(record, kind), (T_OR_C,))  # fmt: skip


MEANS = "of an unstated number of runs"
CLAIMS = (
    Claim("pdp1986/xor_shortcut", "1.3", "XOR by one hidden unit and shortcuts, η = .5, in 558 sweeps", PDP,
          FOUND, one_run(558, "sweeps"), times, (SHORTCUT,)),
    Claim("pdp1986/momentum", "1.5", "α = .9 is faster than none: the ratio of medians", PDP, COMPUTED,
          Side(1.0, True, "slower without"), lambda a, b: ratio(a, b, "times as many sweeps at α = 0"),
          (WITHOUT, SHORTCUT)),
    Claim("pdp1986/xor_failures", "1.3", "XOR ends in a local minimum in two cases of hundreds", PDP, FOUND,
          Rate(2, 200, "fail, where hundreds are no fewer than 200"), lambda record: failures(record, 20000),
          (MINIMUM,)),
    Claim("pdp1986/xor_local_minimum", "1.3",
          "a 2-2-1 network with η = .25 is in its local minimum after 6,587 presentations", PDP, FOUND,
          Elsewhere("6,587 presentations, one run",
                    "when a network counts as being in the minimum is not printed"), failures, (MINIMUM,)),
    Claim("pdp1986/xor_escape", "1.3", "η ≥ .5 escapes from that minimum", PDP, FOUND,
          Side(0.5, True, "escapes"), leaves, (ESCAPE[0.25], ESCAPE[0.5]),
          "Read as: trained on from the weights of Fig. 5, "
          "one pattern at a time, targets .1 and .9, α = .9, for 2,000 sweeps."),
    Claim("pdp1986/chauvin_2", "1.3", "XOR with H = 2 takes 245 presentations on average (Chauvin)", PDP,
          FOUND, Order(245, 1, 1, f"mean 245 {MEANS}"), times, (HIDDEN[2],)),
    Claim("pdp1986/chauvin_32", "1.3", "XOR with H = 32 takes 120 presentations on average (Chauvin)", PDP,
          FOUND, Order(120, 1, 1, f"mean 120 {MEANS}"), times, (HIDDEN[32],)),
    Claim("pdp1986/chauvin_slope", "1.3", "more hidden units take fewer presentations: 280 − 33 log2 H", PDP,
          FOUND, Side(0.0, False, "fewer (−33 a doubling)"), per_doubling, tuple(HIDDEN.values())),
    Claim("pdp1986/parity", "1.3", "parity of 4 bits by 4 hidden units, η = .5, in 2,825 presentations", PDP,
          FOUND, one_run(2825, "presentations"), times, (PARITY,)),
    Claim("pdp1986/parity_solution", "1.3", "its hidden units count: unit j is on for j or more inputs", PDP,
          FOUND, once("units so"), counting, (PARITY,)),
    Claim("pdp1986/encoder_codes", "1.3", "8-3-8 is solved with intermediate values in its codes (Table 5)",
          PDP, FOUND, once("values of .5 in 4 of 8 codes"), between_codes, (ENCODER,)),
    Claim("pdp1986/singleton_low", "1.3",
          "the single unit of 2-1-4-4 has the levels 0, .2, .6, 1 (Table 7): the second", PDP, FOUND,
          Order(0.2, 1, 1, ".2, one run"), lambda record: level(record, 1), (SINGLETON,)),
    Claim("pdp1986/singleton_high", "1.3",
          "the single unit of 2-1-4-4 has the levels 0, .2, .6, 1 (Table 7): the third", PDP, FOUND,
          Order(0.6, 1, 1, ".6, one run"), lambda record: level(record, 2), (SINGLETON,)),
    Claim("pdp1986/symmetry", "1.3", "symmetry in 1,208 presentations", PDP, RECALLED,
          one_run(1208, "presentations"), times, (SYMMETRY,)),
    Claim("pdp1986/addition_stuck", "1.3", "addition by two hidden units is stuck more often than by three",
          PDP, RECALLED, Side(0.0, True, "more failures with two"),
          lambda a, b: gap(failures(a), failures(b), "not solved"), (MINIMAL, ADDITION)),
    Claim("others/addition_plain_2", "1.5", "addition without shortcuts, two hidden units", OTHERS, FOUND,
          Rate(0, 50), rate, (PLAINEST,)),
    Claim("others/addition_plain_3", "1.5", "addition without shortcuts, three hidden units", OTHERS, FOUND,
          Rate(7, 50), rate, (PLAIN,)),
    Claim("pdp1986/negation", "1.3", "negation by three hidden units and shortcuts is solved", PDP, FOUND,
          once("solved"), rate, (NEGATION,)),
    *map(detector, TEMPLATES),
    Claim("pdp1986/t_c", "1.3", "the T-C network takes 5,000 to 10,000 presentations of the eight patterns",
          PDP, RECALLED,
          Elsewhere("5,000 to 10,000 presentations", "recalled with little trust, and the rate is not known"),
          times, (T_OR_C,)),
    Claim("pdp1986/t_c_units_off", "1.3", "compactness: a C turns off 20 units, a T 21", PDP, FOUND,
          Digits((21, 20), 1, "T 21, C 20"), lambda: kernels.units(-2 * np.ones((3, 3)), -1.0, off=True)),
    Claim("pdp1986/t_c_units_on", "1.3", "a diagonal bar: a T turns on 5 units, a C 3", PDP, FOUND,
          Digits((5, 3), 1, "T 5, C 3"), lambda: kernels.units(DIAGONAL, 0.5),
          note="Its weights are not read: 1, 2, 1 on the diagonal "
               "and −1 elsewhere are worked out from these counts."),
    Claim("pdp1986/t_c_centre_on", "1.3", "on-centre off-surround: a T turns on one unit, a C none", PDP,
          COMPUTED, Digits((1, 0), 1, "T 1, C 0"), lambda: kernels.units(CENTRE, 0.5)),
    Claim("pdp1986/t_c_bar_on", "1.3", "a vertical bar: a T turns on a unit in every rotation, a C none", PDP,
          COMPUTED, Digits((1, 0), 1, "T 1, C 0"), lambda: kernels.fewest_of_one_and_most_of_other(BAR, 1.5)),
    Claim("pdp1986/figure_2", "1.3", "Fig. 2: threshold units compute XOR", PDP, FOUND,
          Digits((0, 1, 1, 0), 1e-9, "outputs 0, 1, 1, 0"),
          lambda: of_figure(Xor(hidden=1, shortcut=True), printed.FIG2, True)),
    Claim("pdp1986/figure_3", "1.3", "Fig. 3: the learned weights solve XOR", PDP, COMPUTED,
          Digits((0.1032, 0.8767, 0.8767, 0.1091), 1e-4, "outputs .1032, .8767, .8767, .1091"),
          lambda: of_figure(Xor(hidden=1, shortcut=True), printed.FIG3)),
    Claim("pdp1986/figure_5", "1.3", "Fig. 5: the local minimum leaves two patterns in the middle", PDP,
          COMPUTED, Digits((0.0957, 0.4998, 0.8977, 0.5001), 1e-4, "outputs .0957, .4998, .8977, .5001"),
          lambda: of_figure(Xor(), printed.FIG5)),
    Claim("pdp1986/figure_5_flat", "1.3", "Fig. 5: it is a minimum, flat to the printed digits", PDP, FOUND,
          Side(0.001, False, "no slope"), flat),
    Claim("pdp1986/figure_6", "1.3", "Fig. 6: N threshold units compute parity of any N bits (N = 1 to 8)",
          PDP, FOUND, Digits((1.0,), 1e-9, "all patterns right"),
          lambda: right_of(*((Parity(bits=n, hidden=n), printed.fig6(n)) for n in range(1, 9)))),
    Claim("pdp1986/figure_10", "1.3", "Fig. 10: two hidden threshold units add two numbers of two bits", PDP,
          FOUND, Digits((1.0,), 1e-9, "all patterns right"),
          lambda: right_of((Addition(hidden=2, lateral=True), printed.fig10()))),
    Claim("pdp1986/figure_12", "1.3", "Fig. 12: the learned weights negate", PDP, COMPUTED,
          Digits((16, 0.268), 1e-3, "16 of 16 right, largest error .268"), negation),
    Claim("pdp1986/symmetry_weights", "1.2", "the printed weights classify all 64 patterns", PDP, COMPUTED,
          Digits((64, 0.857, 0.872, 0.169, 0.708), 1e-3,
                 "64 right; palindromes .857 to .872, others to .169; Σ .708"), symmetry),
)  # fmt: skip
