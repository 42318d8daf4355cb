"""The identities: every row held to its other side, and the measuring held to rows that are false.

A row is a rule's public calls beside a closed form, an enumeration or another rule, so that each is a test of
its own. Rows that draw have a false-alarm rate of 1e-4 each, and are seeded. The measuring is held to planted
identities, one fault each, and to simulations in which the rate of false alarms is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.stats import beta, binom, norm

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import FeedbackAlignment
from algorithms.finite_differences import FiniteDifferences
from algorithms.weight_perturbation import ForwardGradient
from harness.checks.kit import checks_of
from harness.checks.verdicts import FAILED, IDLE, PASSED
from harness.cli.identities import main
from harness.core import registry
from harness.core.algorithm import CreditAlgorithm
from harness.core.errors import InputError
from harness.core.identity import CHAIN, KINDS, Identity, Problem
from harness.identities import measure as measuring
from harness.identities.feedback import hidden
from harness.identities.lattice import chosen, declared_by, families, unlike
from harness.identities.measure import measure
from harness.identities.page import of_kind
from harness.identities.perturbation import on_average
from helpers.commands import commands
from helpers.repository import ROOT

ALL = [row for rows in families().values() for row in rows]
PAGE = (ROOT / "docs" / "identities.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.name, marks=[pytest.mark.slow] * row.slow) for row in ALL]
)
def test_an_identity_holds(row: Identity) -> None:
    found = measure(row)
    if found.idle:
        pytest.skip(found.said)
    assert found.holds, found.said


def test_there_are_rows_of_every_kind_and_every_rule_stands_in_one() -> None:
    """By name in the files of rows: a rule that is in none has no relation to any other."""
    assert len(ALL) >= 60
    assert {row.kind for row in ALL} == set(KINDS)
    text = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "harness" / "identities").glob("*.py"))
    ours = [c for c in registry.algorithms().values() if c.__module__.startswith("algorithms.")]
    assert [c.__name__ for c in ours if not re.search(rf"\b{c.__name__}\(", text)] == []


def test_the_page_has_what_is_declared_and_nothing_else() -> None:
    """`python docs/identities.py` writes it; what was measured differs in rounding among machines."""
    lines = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
    written = [
        (first[2:], kind.replace("\\|", "|"), said.replace("\\|", "|"), last[:-2])
        for first, kind, said, _, last in lines
    ]
    assert written == [(f"`{row.name}`", of_kind(row), row.statement, row.source) for row in ALL]
    assert "**does not hold**" not in PAGE
    assert "not measured" not in PAGE
    counts = [f"{sum(row.kind == kind for row in ALL)} {kind}" for kind in KINDS]
    assert f"{len(ALL)} identities: {', '.join(counts)}." in PAGE


def test_every_credit_rule_has_a_row_on_shared_weights() -> None:
    ours = [c for c in registry.algorithms().values() if c.__module__.startswith("algorithms.")]
    credited = {f"shared_{c.name}" for c in ours if issubclass(c, CreditAlgorithm)}
    assert credited <= {row.name for row in ALL}


# planted: each false in one way


def exact(sides: Callable[..., Any], **more: Any) -> Identity:
    return Identity("planted", "exact", "planted", "nobody", sides, **more)


def limit(sides: Callable[..., Any], power: float, at: tuple[float, ...] = (1e-2, 1e-3, 1e-4)) -> Identity:
    return Identity("planted", "limit", "planted", "nobody", sides, at=at, power=power)


def direction(sides: Callable[..., Any], statistic: str) -> Identity:
    return Identity("planted", "direction", "planted", "nobody", sides, statistic=statistic)


def gradient(p: Problem, times: float = 1.0, plus: float = 0.0) -> Any:
    return {k: times * g + plus for k, g in p.credit(Backprop()).items()}


def differences(p: Problem, h: float, scheme: str) -> Any:
    return p.credit(FiniteDifferences(scheme=scheme, step=h)), gradient(p)


def draws(p: Problem, n: int = 20_000, times: float = 1.0, plus: float = 0.0) -> Any:
    found, truth = on_average(p, ForwardGradient(), n)
    shift = np.zeros_like(truth)
    shift[-1] = plus
    return times * found + shift, truth


def beta_law(p: Problem, count: float) -> Any:
    found, truth = on_average(p, ForwardGradient(), 5000)
    cosines = (found @ truth) ** 2 / ((found**2).sum(axis=1) * (truth @ truth))
    return cosines, beta(count / 2, (truth.size - 1) / 2).cdf


TRUE = {
    "exact": exact(lambda p: (gradient(p), gradient(p)), within=0),
    "limit": limit(lambda p, h: differences(p, h, "forward"), 1),
    "mean": direction(draws, "mean"),
    "cosine": direction(lambda p: (gradient(p, plus=1e-3), gradient(p)), "cosine"),
    "distribution": direction(lambda p: beta_law(p, 1), "distribution"),
}
FALSE = {
    "a rule that is another": exact(lambda p: (p.credit(FeedbackAlignment()), gradient(p))),
    "a last bit": exact(lambda p: (gradient(p, 1 + 2.0**-52), gradient(p)), within=0),
    "beyond its bound": exact(lambda p: (gradient(p, 1 + 1e-9), gradient(p))),
    "not a number": exact(lambda p: (gradient(p, np.nan), gradient(p)), within=1.0),
    "a weight left out": exact(
        lambda p: ({k: g for k, g in gradient(p).items() if "-" in k.name}, gradient(p))
    ),
    "another shape": exact(lambda p: ({k: g[..., :1] for k, g in gradient(p).items()}, gradient(p))),
    "nothing": exact(lambda p: (gradient(p), gradient(p, 0.0))),
    "one power too many": limit(lambda p, h: differences(p, h, "forward"), 2),
    "one power too few": limit(lambda p, h: differences(p, h, "central"), 1, (3e-2, 1e-2, 3e-3)),
    "no limit": limit(lambda p, h: (gradient(p, 1.5 + h), gradient(p)), 1),
    "a limit of another": limit(lambda p, h: (gradient(p, 1.01 + h), gradient(p)), 1),
    "no error at all": limit(lambda p, h: (gradient(p), gradient(p)), 1),
    "a parameter the wrong way": limit(lambda p, h: differences(p, h, "forward"), 1, (1e-4, 1e-3, 1e-2)),
    "a factor": direction(lambda p: draws(p, times=1.25), "mean"),
    "one weight off": direction(lambda p: draws(p, plus=0.05), "mean"),
    "too few draws to tell": direction(lambda p: draws(p, 20), "mean"),
    "a fixed number off": direction(lambda p: (draws(p)[0] * 0 + 1.0, draws(p)[1]), "mean"),
    "at right angles": direction(
        lambda p: (hidden(p, p.credit(FeedbackAlignment())), hidden(p, gradient(p))), "cosine"
    ),
    "uphill": direction(lambda p: (gradient(p, -1.0), gradient(p)), "cosine"),
    "another law": direction(lambda p: beta_law(p, 1.3), "distribution"),
}


@pytest.mark.parametrize("kind", TRUE)
def test_a_planted_true_identity_holds(kind: str) -> None:
    found = measure(TRUE[kind])
    assert found.holds, found.said


@pytest.mark.parametrize("fault", FALSE)
def test_a_planted_false_identity_is_caught(fault: str) -> None:
    found = measure(FALSE[fault])
    assert not found.holds, found.said
    assert not found.idle


@pytest.mark.parametrize("power", [-0.5, 1.0, 2.0, 3.0])
def test_the_slope_of_a_power_is_the_power(power: float) -> None:
    """Errors h^power times lognormal noise of a tenth: the least-squares slope over 12 networks."""

    def sides(p: Problem, h: float) -> Any:
        rng = np.random.default_rng([p.seed, round(1e6 * h)])
        return np.array([1.0 + h**power * np.exp(0.1 * rng.normal())]), np.array([1.0])

    at = (1e2, 1e3, 1e4) if power < 0 else (1e-1, 1e-2, 1e-3)
    found = measure(limit(sides, power, at))
    assert found.holds, found.said
    said = float(re.search(r"slope (\S+) ", found.said)[1])  # type: ignore[index]
    assert said == pytest.approx(power, abs=0.05)
    assert not measure(limit(sides, power + 0.5, at)).holds


@pytest.mark.parametrize("statistic", ["mean", "cosine", "distribution"])
def test_false_alarms_come_at_their_rate(statistic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """400 sets of draws at a rate of .1: 40 alarms, 20 to 64 with all but 1e-4 (binomial); seeded.

    Of `mean` and `distribution` the identity is true; of `cosine` the sides are Gaussian, and independent.
    """
    monkeypatch.setattr(measuring, "ALARM", 0.1)
    rng, alarms = np.random.default_rng(0), 0
    for _ in range(400):
        if statistic == "mean":
            row = direction(lambda p: (1.0 + rng.normal(size=(1000, 1)), np.array([1.0])), statistic)
        elif statistic == "cosine":
            row = direction(lambda p: (rng.normal(size=7), rng.normal(size=7)), statistic)
        else:
            row = direction(lambda p: (rng.normal(size=200), norm.cdf), statistic)
        alarms += measure(row).holds == (statistic == "cosine")
    rate = 0.05 if statistic == "mean" else 0.1  # one number is asked twice: by itself, and along the mean
    low, high = binom(400, rate).ppf([5e-5, 1 - 5e-5])
    assert low <= alarms <= high


def test_measuring_draws_the_same_each_time_and_problems_are_all_different() -> None:
    row = next(row for row in ALL if row.name == "forward_gradients_averaged")
    assert measure(row).said == measure(row).said
    assert len({float(p.batch.x[0, 0, 0]) for p in measuring.problems(row, 12)}) == 48


def test_what_needs_a_module_that_is_not_there_is_idle_and_says_so() -> None:
    found = measure(replace(TRUE["exact"], needs="no_such_module"))
    assert (found.idle, found.holds) == (True, False)
    assert found.said == "not measured: no_such_module is not installed"


def test_a_problem_is_one_of_many() -> None:
    """The same weights; random numbers of each replica its own, the first as alone."""
    p = Problem.of(CHAIN, 3)
    one, many = (q.credit(ForwardGradient()) for q in (p, p.many(4)))
    for key, g in many.items():
        np.testing.assert_array_equal(g[:1], one[key])
        assert not np.allclose(g[1], g[0])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "exakt"}, "unknown kind of identity 'exakt': .*did you mean 'exact'"),
        ({"kind": "direction", "statistic": "means"}, "unknown statistic of an identity 'means'"),
        ({"kind": "limit"}, "at least three values of its parameter, but planted .limit. has 0"),
        ({"kind": "exact", "at": (1, 2, 3)}, "no other kind"),
    ],
)
def test_what_is_no_identity_is_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Identity(**{"name": "planted", "statement": "", "source": "", "sides": gradient, **given})


# the command, the lattice, the check kit


def test_names_patterns_and_families_choose_rows() -> None:
    assert [row.name for row in chosen(["spsa_in_the_mean"])] == ["spsa_in_the_mean"]
    assert chosen(["losses"]) == list(families()["losses"])
    assert {row.name for row in chosen(["*feedback*"])} >= {"feedback_over_transposed_weights"}
    assert chosen([]) == ALL
    with pytest.raises(InputError, match="'spsa' was given twice"):
        unlike([replace(TRUE["exact"], name="spsa")] * 2)


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str, str]:
    code: Any = 0
    try:
        main(arguments)
    except SystemExit as end:
        code = end.code
    return (code, *capsys.readouterr())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], "unknown identity 'nosuch': "),
        (["sharde_backprop"], "the nearest is 'shared_backprop'"),
        (["--lost"], "unknown option '--lost': allowed is --list"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ended(capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_the_command_lists_and_measures(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ended(capsys, "--list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [row.name for row in ALL]
    code, out, _ = ended(capsys, "shallow_*")
    assert code == 0
    assert "✓ shallow_is_the_output_row (exact): the same bits" in out
    assert out.endswith("2 identities: 2 hold, 0 do not, 0 were not measured\n")


def test_a_plug_in_whose_identity_is_false_ends_with_code_1(tmp_path: Path) -> None:
    """In a process of its own, which may load what it likes."""
    text = """
from dataclasses import dataclass
from typing import ClassVar
from algorithms.backprop import Backprop
from algorithms.shallow import Shallow
from harness import Identity

@dataclass(frozen=True)
class Boasting(Backprop):
    identities: ClassVar = (
        Identity("boast", "exact", "it is it", "-", lambda p: (p.credit(Boasting()), p.credit(Shallow()))),
    )
"""
    (tmp_path / "boasting.py").write_text(text, encoding="utf-8")
    (done,) = commands(tmp_path, "python -m harness.identities plugins=boasting.py boasting")
    assert (done.code, done.said) == (1, [])
    assert "✗ boast (exact): one side alone has hidden" in done.out


class Declares(Backprop):
    """A rule of the tests, which declares what a test puts there."""

    identities: ClassVar[Any] = ()


@pytest.mark.parametrize(
    ("identities", "outcome", "said"),
    [
        ((), IDLE, "it declares no identities"),
        ((TRUE["exact"],), PASSED, ""),
        ((replace(TRUE["exact"], needs="no_such_module"),), IDLE, "no_such_module is not installed"),
        (
            (TRUE["exact"], replace(FALSE["uphill"], name="other")),
            FAILED,
            "other, 'planted': mean cosine -1.000",
        ),
        ([TRUE["exact"]], FAILED, "must be a tuple of Identity"),
        ((TRUE["exact"], TRUE["exact"]), FAILED, "'planted' was given twice"),
    ],
)
def test_the_check_kit_holds_a_rule_to_what_it_declares(
    identities: Any, outcome: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Declares, "identities", identities)
    (check,) = (c for c in checks_of(Declares()) if str(c) == "identities_hold")
    verdict = check.verdict()
    assert verdict.outcome == outcome
    assert said in verdict.sentence


def test_no_shipped_rule_declares_for_itself() -> None:
    """Their rows are in the files of families: a change there is no change of a rule's hash."""
    assert all(declared_by(c) == () for c in registry.algorithms().values())
