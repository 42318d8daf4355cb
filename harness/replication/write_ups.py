"""Claims of popular write-ups about 1986,
each held first to the text it is attributed to, then to what is measured.

What the primary texts print of the matter stands here as facts; whether a write-up's figure is among them is
decided by comparing facts, not by hand. Beside every claim stands what we measure in that setting, or nothing
if there is nothing to run.
"""

from __future__ import annotations

from typing import Any

from harness.replication import printed
from harness.replication.claim import WRITE_UP, Claim, Setting, nothing
from harness.replication.figure import Attributed, Fact, Measured, Range, Rate, Source, one_run
from harness.replication.measures import exactly, failures, rate, ratio, side_by_side, times, work_ratio
from harness.replication.nature1986 import ADAPTED, PRINTED, held, trained
from harness.replication.nature1986 import SYMMETRY as NATURE_SYMMETRY
from harness.replication.networks import between_codes, binary_codes
from harness.replication.pdp1986 import ENCODER, HIDDEN, MINIMUM, SHORTCUT, WITHOUT
from harness.tasks.family_tree import FamilyTree
from harness.tasks.symmetry import Symmetry
from harness.tasks.xor import Xor

WRITE_UPS = "popular write-ups"
SWEEPS, EXPERIMENT, LAYERS = "sweeps to a solution", "an experiment", "units by layer"
XOR, ENCODE, SYMMETRIC, TREES = "XOR 2-2-1", "encoder 8-3-8", "symmetry 6-2-1", "family trees"
RUN, CHAUVIN, WORST, MINIMA = (
    "a setting that was run",
    "mean presentations (Chauvin)",
    "worst error of printed weights",
    "runs in a local minimum",
)
TREE = (("24+12", "6+6", "12", "6", "24"), 5, 3)  # units by layer, layers, hidden ones

NATURE = Source("Nature 323:533-536", (
    Fact(SWEEPS, SYMMETRIC, 1425),
    Fact("experiments", "the paper", 2),
    Fact("sections with numbers", "the paper", 0),
    Fact(EXPERIMENT, "symmetry", True),
    Fact(EXPERIMENT, TREES, True),
    Fact(LAYERS, TREES, TREE[0]),
    Fact("layers", "the deepest network", TREE[1]),
    Fact("hidden layers", "the deepest network", TREE[2]),
    Fact("pairs trained on", TREES, 100),
    Fact("pairs held out", TREES, 4),
    Fact("held-out pairs right", TREES, 4),
    Fact("which term of a triple is completed", TREES, 3),
    Fact("widest initial weights", SYMMETRIC, 0.3),
    Fact("ε", SYMMETRIC, 0.1),
    Fact("α", SYMMETRIC, 0.9),
    Fact("ε", TREES, (0.005, 0.01)),
    Fact("α", TREES, (0.5, 0.9)),
))  # fmt: skip
PDP = Source("PDP vol. 1 ch. 8", (
    Fact("presentations to a local minimum", XOR, 6587),
    Fact(CHAUVIN, XOR, 245),
    Fact(SWEEPS, "XOR 2-1-1 with shortcuts", 558),
    Fact(MINIMA, "XOR", "2 of hundreds"),
    Fact(CHAUVIN, "XOR with 2 and 4 hidden units", (245, 214)),
    Fact("outcome at η = .5", "XOR", "solves it in 558 sweeps, and escapes the local minimum"),
    Fact(WORST, "XOR 2-1-1 with shortcuts", 0.123),
    Fact(WORST, SYMMETRIC, 0.169),
    Fact("codes of a solution (Table 5)", ENCODE, "intermediate values in 4 of 8"),
))  # fmt: skip
HARTMAN = Source("Peterson & Hartman 1989", (Fact("Boltzmann machine ÷ backprop", "compute", (10, 100)),))
BOTH = Source("Nature 323:533-536 or PDP vol. 1 ch. 8", (*NATURE.facts, *PDP.facts,
    Fact("η", "XOR", (0.25, 0.5)), Fact("α", "PDP, most simulations", 0.9),
    Fact("batch", SYMMETRIC, "full")))  # fmt: skip

QUICK = "run.replicas=8 run.epochs=1500"
FAST, SLOW = (
    Setting.of(f"experiment=pdp1986/xor_local_minimum algorithm.optimiser.lr={lr}", QUICK)
    for lr in (0.5, 0.05)
)
ZEROS = Setting.of(
    "experiment=pdp1986/xor_local_minimum task.scale=0.0 run.replicas=4 run.epochs=2000", "run.epochs=200"
)
SAMPLING, BACKPROP = (
    Setting.of(
        f"task=xor task.hidden=4 algorithm={rule} run.replicas=100 run.epochs=2000",
        "run.replicas=8 run.epochs=300",
    )
    for rule in ("boltzmann algorithm.noise_off=0 algorithm.noise_on=0", "backprop")
)


def both_medians(two: Any, four: Any) -> Measured:
    """Epochs with two and with four hidden units."""
    return side_by_side(H_2=times(two), H_4=times(four))


def momentum_and_zeros(without: Any, with_it: Any, zeros: Any) -> Measured:
    """What no momentum costs, and what comes of weights that start at zero."""
    return side_by_side(alpha_0=ratio(without, with_it, "times as many sweeps"), zero_weights=rate(zeros))


def two_rates(fast: Any, slow: Any) -> Measured:
    """Who solves XOR at η = .5 and at .05, and how fast."""
    return side_by_side(eta_point_5=times(fast), eta_point_05=times(slow))


def trees(verbatim: Any, adapted: Any) -> Measured:
    """Training and held-out pairs right, by the recipe as printed and by the adapted one."""
    return side_by_side(
        as_printed=trained(verbatim), adapted=trained(adapted), adapted_held_out=held(adapted)
    )


def codes(record: Any) -> Measured:
    """How many encoders have eight clean binary codes,
    how many have intermediate values; all of these are solved.
    """
    return side_by_side(clean=binary_codes(record), grey=between_codes(record))


def layers() -> Measured:
    """Layers of the family tree's network here: by the longest way from input to output."""
    net = FamilyTree().network()
    return exactly(
        net.depth + 1, f"{net.depth + 1} layers, {net.depth - 1} of them hidden", net.depth + 1, net.depth - 1
    )


def sizes() -> Measured:
    """Its groups."""
    return exactly(
        len(FamilyTree().network().groups),
        " ".join(f"{g.name} {g.size}" for g in FamilyTree().network().groups),
    )


def worst_errors() -> Measured:
    """The worst output errors of the printed weights."""
    xor, symmetry = (
        printed.worst(Xor(hidden=1, shortcut=True), printed.FIG3),
        printed.worst(Symmetry(), printed.SYMMETRY),
    )
    return exactly(xor, f"worst error {xor:.3f} of XOR (Fig. 3), {symmetry:.3f} of symmetry", xor, symmetry)


def _row(number: int, claim: str, source: Source, asserted: tuple[Fact, ...], measure: Any,
         needs: tuple[Setting, ...] = (), then: Any = None,
         beside: tuple[str, ...] = ()) -> Claim:  # fmt: skip
    figure = Attributed(asserted, source, then, beside)
    return Claim(f"write_ups/{number}", f"15.{number}", claim, WRITE_UPS, WRITE_UP, figure, measure, needs)


CLAIMS = (
    _row(1, "XOR by two hidden units converges at about 6,587", PDP, (Fact(SWEEPS, XOR, 6587),), times,
         (MINIMUM,), one_run(6587, "sweeps"), ("presentations to a local minimum", SWEEPS)),
    _row(2, "the encoder 8-3-8 takes about 1,810", PDP, (Fact(SWEEPS, ENCODE, 1810),), times, (ENCODER,),
         one_run(1810, "sweeps"), ("codes of a solution (Table 5)",)),
    _row(3, "symmetry takes 1,208 in Nature", NATURE, (Fact(SWEEPS, SYMMETRIC, 1208),), times,
         (NATURE_SYMMETRY,), one_run(1208, "sweeps")),
    _row(4, "about 10 of 100 XOR runs are stuck", PDP, (Fact(MINIMA, "XOR", "10 of 100"),), failures,
         (MINIMUM,), Rate(10, 100, "stuck")),
    _row(5, "Nature has four experiments, in its section 4", NATURE,
         (Fact("experiments", "the paper", 4), Fact("sections with numbers", "the paper", 4)), nothing),
    _row(6, "XOR goes from 6,587 to 1,230 with four hidden units instead of two", PDP,
         (Fact(CHAUVIN, "XOR with 2 and 4 hidden units", (6587, 1230)),), both_medians,
         (HIDDEN[2], HIDDEN[4])),
    _row(7, "without momentum 50,000 and 30,000; rows for threshold units and zero weights", BOTH,
         (Fact("sweeps at α = 0", XOR, 50000), Fact("sweeps at α = 0", SYMMETRIC, 30000),
          Fact(RUN, "threshold units", True), Fact(RUN, "initial weights of zero", True)),
         momentum_and_zeros, (WITHOUT, SHORTCUT, ZEROS), beside=("α",)),
    _row(8, "η = .5 diverges on XOR, η = .05 stalls", PDP,
         (Fact("outcome at η = .5", "XOR", "diverges"), Fact("outcome at η = .05", "XOR", "stalls")),
         two_rates, (FAST, SLOW)),
    _row(9, "initial weights ±.5, η .1 to .25, full batches, α = .9 everywhere", BOTH,
         (Fact("widest initial weights", SYMMETRIC, 0.5), Fact("η", "XOR", (0.1, 0.25)),
          Fact("α", TREES, 0.9), Fact("batch", SYMMETRIC, "full")), times, (NATURE_SYMMETRY,)),
    _row(10, "the family tree's layers are 24+12-12-6-12-24", NATURE,
         (Fact(LAYERS, TREES, ("24+12", "12", "6", "12", "24")),), sizes),
    _row(11, "family trees: 104 pairs trained, all right", NATURE,
         (Fact("pairs trained on", TREES, 104), Fact("trained pairs right", TREES, 104)), trees,
         (PRINTED, ADAPTED), beside=("pairs held out", "held-out pairs right")),
    _row(12, "the deepest network has three layers, two of them hidden", NATURE,
         (Fact("layers", "the deepest network", 3), Fact("hidden layers", "the deepest network", 2)), layers),
    _row(13, "errors end below .05 (XOR), .01 (symmetry) and .1 (encoder)", BOTH,
         tuple(Fact("error at the end", of, below)
               for of, below in ((XOR, 0.05), (SYMMETRIC, 0.01), (ENCODE, 0.1))),
         worst_errors, beside=(WORST,)),
    _row(14, "family trees complete the fourth term", NATURE,
         (Fact("which term of a triple is completed", TREES, 4),),
         lambda: exactly(3, f"the third: {len(FamilyTree().network().inputs)} terms go in, 1 comes out")),
    _row(15, "8-3-8 ends in clean binary codes in 80 % of runs, in grey codes with errors of 30 % in 20 %",
         PDP,
         (Fact("share of clean binary codes", ENCODE, 0.8),
          Fact("share of grey codes, error 30 %", ENCODE, 0.2)), codes, (ENCODER,),
         beside=("codes of a solution (Table 5)",)),
    _row(16, "Boltzmann machines take 1,000 times the compute of backprop", HARTMAN,
         (Fact("Boltzmann machine ÷ backprop", "compute", 1000),),
         lambda a, b: work_ratio(a, b, "times the FLOPs on XOR 2-4-1"), (SAMPLING, BACKPROP),
         Range(500, 2000, "1,000 times, to a factor of 2")),
    _row(17, "NETtalk and shape recognition proved it in the paper", NATURE,
         (Fact(EXPERIMENT, "NETtalk", True), Fact(EXPERIMENT, "shape recognition", True)), nothing,
         beside=(EXPERIMENT,)),
)  # fmt: skip
