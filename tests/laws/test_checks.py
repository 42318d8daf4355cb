"""The check kit held to rules that are wrong in one way each, and our own rules held to the kit.

A check that finds nothing wrong with its wrong rule is worth nothing, nor is one that finds fault with
backprop.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from harness.checks import symmetries, untouched, words
from harness.checks.bits import CHECKS as BITS
from harness.checks.kit import CHECKS, checks_of
from harness.checks.subject import TASKS, Subject
from harness.checks.verdicts import FAILED, IDLE, Idle
from harness.core import registry
from harness.core.algorithm import CreditAlgorithm, Traits
from harness.core.batch import Credit
from harness.core.exact_gradient import exact_gradient
from harness.core.losses import SquaredError
from harness.core.optimisers import Optimiser
from harness.core.setting import setting
from harness.credit.altered import Count
from harness.experiment.run import run
from harness.tasks.xor import Xor
from harness.training.preflight import Broken

QUICK = (*words.CHECKS, *untouched.CHECKS, *BITS, *symmetries.CHECKS)
BACKPROP = Traits(True, True, local=False, phases=1, global_scalar=False)


def test_the_number_of_checks_is_this_and_their_names_tell_them_apart() -> None:
    assert len(CHECKS) == len({check.__name__ for check in CHECKS}) == 54
    assert all((check.__doc__ or "").strip().endswith("?") for check in CHECKS)


@pytest.mark.parametrize("name", registry.algorithms())
def test_our_own_rules_pass(name: str) -> None:
    subject = Subject.of(registry.algorithms()[name]())
    for check in QUICK:
        try:
            check(subject)
        except Idle:
            continue


@pytest.mark.parametrize("name", ["backprop", "delta_rule"])
def test_our_own_rules_pass_every_check(name: str) -> None:
    verdicts = [check.verdict() for check in checks_of(name)]
    assert [v for v in verdicts if v.outcome == FAILED] == []
    assert all(v.sentence for v in verdicts if v.outcome == IDLE), "what does not apply says why"


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.algorithms())
def test_every_rule_of_ours_passes_every_check(name: str) -> None:
    assert [v for v in (check.verdict() for check in checks_of(name)) if v.outcome == FAILED] == []


class Rule(CreditAlgorithm):
    """Backprop, which the wrong rules below spoil in one line each."""

    traits: ClassVar[Traits] = BACKPROP
    paper = equations = oracle = "as backprop"
    promise: ClassVar[str] = "exact"

    def spoil(self, name: Any, g: Any, **seen: Any) -> Any:
        return g

    def credit(self, net: Any, params: Any, memory: Any, batch: Any, rand: Any) -> Credit:
        gradient, output = exact_gradient(net, params, batch)
        seen = {"params": params, "batch": batch, "rand": rand, "net": net}
        return Credit({key: self.spoil(key, g, **seen) for key, g in gradient.items()}, output)


class Spoilt(Rule):
    """A rule whose every credit goes through a function."""

    how: ClassVar[Callable[..., Any]]

    def spoil(self, name: Any, g: Any, **seen: Any) -> Any:
        return self.how(name, g, seen)


@pytest.fixture
def spoilt(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Rule]:
    def by(fault: str) -> Rule:
        monkeypatch.setattr(Spoilt, "how", staticmethod(FAULTS[fault][0]), raising=False)
        return Spoilt()

    return by


def drawing(key: Any, g: Any, seen: Any) -> Any:
    return g + np.random.standard_normal(g.shape)  # noqa: NPY002  # the fault itself


def pythons_own(key: Any, g: Any, seen: Any) -> Any:
    return g + random.random()


def writing(key: Any, g: Any, seen: Any) -> Any:
    seen["params"][key] *= 0.5
    return g


def writing_targets(key: Any, g: Any, seen: Any) -> Any:
    seen["batch"].target[...] = 0.0
    return g


def uneven_draws(key: Any, g: Any, seen: Any) -> Any:
    if float(np.abs(g).max()) > 0.5:
        seen["rand"].normal(3)
    return g


def own_count() -> Callable[..., Any]:
    calls = [0]

    def how(key: Any, g: Any, seen: Any) -> Any:
        calls[0] += 1
        return g * (1.0 + 1e-9 * calls[0])

    return how


def without_margin(key: Any, g: Any, seen: Any) -> Any:
    every = seen["batch"]._replace(loss=SquaredError())
    return exact_gradient(seen["net"], seen["params"], every).gradient[key]


FAULTS: dict[str, tuple[Callable[..., Any], str]] = {
    "noise of the global stream": (drawing, "update_leaves_everything_alone"),
    "noise of Python's own stream": (pythons_own, "update_leaves_everything_alone"),
    "weights written to": (writing, "update_leaves_everything_alone"),
    "targets written to": (writing_targets, "update_leaves_everything_alone"),
    "transposed": (lambda k, g, s: g.mT, "credit_is_one_of_these_weights"),
    "mean over everything": (lambda k, g, s: g - g.mean(), "alone_as_in_a_batch"),
    "the first replica's": (lambda k, g, s: g + 0.1 * g[:1], "permuted"),
    "scaled by the largest": (lambda k, g, s: g / np.abs(g).max(), "others_weights_do_not_matter"),
    "a counter outside the state": (own_count(), "the_same_again"),
    "as many draws as errors": (uneven_draws, "draws_do_not_depend_on_values"),
    "mean over patterns": (lambda k, g, s: g / s["batch"].x.shape[-2], "duplicated_patterns_count_twice"),
    "first pattern twice": (
        lambda k, g, s: g * (1.0 + s["batch"].x[..., :1, :1]),
        "order_of_patterns_does_not_matter",
    ),
    "credit without error": (lambda k, g, s: g + 0.01, "no_error_no_credit"),
    "unit 0 is special": (
        lambda k, g, s: np.concatenate([g[..., :1] * 2, g[..., 1:]], axis=-1),
        "hidden_units_have_no_order",
    ),
    "half of it": (lambda k, g, s: 0.5 * g, "promise_holds"),
    "margin forgotten": (without_margin, "promise_holds"),
    "uphill": (lambda k, g, s: -g, "it_goes_down"),
    "weights let go": (lambda k, g, s: g - 0.1 * s["params"][k], "promise_holds"),
    "nothing for hidden weights": (
        lambda k, g, s: g if getattr(k, "target", k) == s["net"].output else 0.0 * g,
        "hidden_weights_learn",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_by_its_check(fault: str, spoilt: Callable[[str], Rule]) -> None:
    _, name = FAULTS[fault]
    (check,) = (each for each in CHECKS if each.__name__ == name)
    subject = Subject(spoilt(fault), TASKS[0] if name != "hidden_weights_learn" else Count())
    with pytest.raises(Broken) as found, np.errstate(all="ignore"):
        check(subject)
    assert "\n" not in str(found.value)
    assert "test_checks.py:" in str(found.value), "it says where"


SILENT = [
    name for name, (_, check) in FAULTS.items() if check in {c.__name__ for c in (*untouched.CHECKS, *BITS)}
]


@pytest.mark.parametrize(
    "fault",
    [name for name in SILENT if name not in ("a counter outside the state", "as many draws as errors")],
)
def test_what_would_be_wrong_in_silence_is_not_run(fault: str, spoilt: Callable[[str], Rule]) -> None:
    rule, task = spoilt(fault), Xor(hidden=3)
    with pytest.raises(Broken, match="unchecked=true"):
        run(rule, task, replicas=4, epochs=2)


def test_unchecked_runs_it_all_the_same(spoilt: Callable[[str], Rule]) -> None:
    result = run(spoilt("mean over everything"), Xor(), replicas=4, epochs=2, unchecked=True)
    assert len(result.trained.epochs) == 4


@dataclass(frozen=True)
class Idler(Rule):
    """Two settings: one that nothing reads."""

    gain: float = setting(1.0, "What every credit is multiplied by.", above=0)
    idle: float = setting(0.5, "Nothing.", above=0)

    def spoil(self, name: Any, g: Any, **_: Any) -> Any:
        return self.gain * g


def test_a_setting_that_nothing_reads_is_found() -> None:
    with pytest.raises(Broken, match="idle changes no bit"):
        words.settings_matter(Subject.of(Idler()))


@dataclass(frozen=True)
class Careless(Rule):
    """Its own __post_init__ forgets its base's."""

    gain: float = setting(1.0, "Nothing.", above=0)

    def __post_init__(self) -> None:
        pass


def test_nonsense_that_is_taken_is_found() -> None:
    with pytest.raises(Broken, match="gain=nan is taken"):
        words.nonsense_is_refused(Subject.of(Careless()))


@dataclass(frozen=True)
class Forgetful(Rule):
    """Keeps a number in its memory."""

    def remember(self, net: Any, params: Any, rand: Any) -> Any:
        return {"t": 0}


def test_a_number_in_the_state_is_found_before_a_replica_finishes() -> None:
    with pytest.raises(Broken, match=r"holds int 0 at memory\.t"):
        untouched.start_is_a_state(Subject.of(Forgetful()))
    with pytest.raises(Broken, match=r"holds int 0 at memory\.t"):
        run(Forgetful(), Xor(), replicas=2, epochs=2)


@dataclass(frozen=True)
class Creeping(Optimiser):
    """Moves weights at any rate."""

    def init(self, params: Any) -> Any:
        return {}

    def step(self, params: Any, credit: Any, memory: Any, epoch: Any) -> Any:
        return {k: w - (self.lr + 1e-3) * credit[k] if k in credit else w for k, w in params.items()}, memory


def test_weights_that_move_at_a_rate_of_zero_are_found() -> None:
    with pytest.raises(Broken, match=r"moves at optimiser\.lr=0"):
        symmetries.rate_zero_moves_nothing(Subject.of(replace(Rule(), optimiser=Creeping())))


class Liar(Rule):
    """Declares what is not so."""

    traits: ClassVar[Traits] = Traits(False, False, local=True, phases=1, global_scalar=False)


def test_traits_that_are_not_so_are_found() -> None:
    from harness.checks.claims import traits_hold

    with pytest.raises(Broken, match="declares needs_derivative=False"):
        traits_hold(Subject.of(Liar()))


@dataclass(frozen=True)
class Raises(Rule):
    """Has a bug."""

    def credit(self, net: Any, params: Any, memory: Any, batch: Any, rand: Any) -> Credit:
        return Credit({key: self.lr * w for key, w in params.items()}, None)  # type: ignore[attr-defined]


def test_an_error_in_a_rule_names_its_line_and_what_was_meant() -> None:
    with pytest.raises(
        Broken,
        match=r"has no attribute 'lr': lr is the optimiser's, self.optimiser.lr \(test_checks.py:\d+\)",
    ):
        run(Raises(), Xor(), replicas=2, epochs=2)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "gives a dict, but Credit"),
        (
            Credit({"input-hidden": np.zeros((2, 2, 2))}, None),
            "credit for 'input-hidden', which is no parameter",
        ),
    ],
)
def test_what_is_no_credit_is_said(given: Any, sentence: str) -> None:
    kind = type("Odd", (Rule,), {"credit": lambda *_: given})
    with pytest.raises(Broken, match=sentence):
        run(kind(), Xor(), replicas=2, epochs=2)
