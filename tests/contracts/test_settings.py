"""Settings held to their declarations: what is in range is taken, and what is not is one sentence."""

from __future__ import annotations

import ast
import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from inspect import getsource
from types import NoneType
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from algorithms.boltzmann import Boltzmann
from algorithms.feedback_alignment import FeedbackAlignment
from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.core import registry
from harness.core.algorithm import Algorithm
from harness.core.errors import InputError, unknown
from harness.core.optimisers import OPTIMISERS, Adam, GradientDescent
from harness.core.setting import Declared, check, declaration, described, fitted, setting
from harness.core.task import Task
from harness.core.vetting import hints
from harness.experiment.run import run
from harness.tasks.xor import Xor

CLASSES: list[type] = [
    *registry.algorithms().values(),
    *OPTIMISERS.values(),
    *registry.tasks().values(),
    Settings,
]
every_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
some = settings(max_examples=3, deadline=None)


def hint(cls: type, name: str) -> Any:
    return get_type_hints(cls)[name]


def plain(cls: type, name: str) -> Any:
    """The type of a single value of a setting, read from its annotation."""
    of = next((h for h in get_args(hint(cls, name)) if h not in (NoneType, ...)), hint(cls, name))
    return next((h for h in get_args(of) if h is not ...), of)


def is_list(cls: type, name: str) -> bool:
    return "tuple" in str(hint(cls, name))


def ends(said: Declared) -> dict[str, float]:
    return dict(said.bounds)


def inside(cls: type, name: str) -> st.SearchStrategy[Any]:
    """Values that the declaration takes, up to the ends of its range."""
    of, said = plain(cls, name), declaration(cls, name)
    bound = ends(said)
    if said.one_of:
        return st.sampled_from(sorted(said.one_of))
    if of is bool:
        return st.booleans()
    if of is int:
        low = int(bound.get("at least", bound.get("above", -1) + 1))
        high = int(bound.get("at most", bound.get("below", low + 31) - 1))
        return st.integers(low, min(high, low + 30))
    low, high = bound.get("at least", bound.get("above")), bound.get("at most", bound.get("below"))
    open_ends = {"exclude_min": "above" in bound, "exclude_max": "below" in bound}
    return st.floats(low, high, allow_nan=False, allow_infinity=False, **open_ends)


def outside(cls: type, name: str) -> list[Any]:
    """Values just beyond the range, and those that are beyond every range."""
    of, bound = plain(cls, name), ends(declaration(cls, name))
    down, up = (
        ((lambda x: x - 1), (lambda x: x + 1))
        if of is int
        else ((lambda x: math.nextafter(x, -math.inf)), (lambda x: math.nextafter(x, math.inf)))
    )
    found = [
        end if word in ("above", "below") else down(end) if word == "at least" else up(end)
        for word, end in bound.items()
    ]
    found = [int(v) for v in found] if of is int else found
    return found + ([math.nan, math.inf, -math.inf, np.float64("nan")] if of is float else [])


def confused(cls: type, name: str) -> list[Any]:
    """Values of other types, or names that are none where the names are declared."""
    unknown = ["no such name"] * bool(declaration(cls, name).one_of)
    others = {
        bool: [0, 1, 7, "true", 1.0, np.int64(1)],
        int: [True, np.True_, 2.0, 2.5, np.float64(3), "3", [3], 3 + 0j],
        float: [True, False, np.True_, "0.5", [0.5], 0.5 + 0j, np.array([0.5, 0.5]), 10**400],
        str: [3, True, 0.5, ["sign"], *unknown],
    }
    return others.get(plain(cls, name), [3, "adam", Adam])


def names(cls: type) -> list[str]:
    return [f.name for f in fields(cls) if plain(cls, f.name) is not Any]


def refused(cls: type, **given: Any) -> str:
    with pytest.raises(InputError) as caught:
        cls(**given)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


# What is declared


@dataclass(frozen=True)
class Quoted(Xor):
    """Types in quotes within their text, and one that is none of these."""

    words: tuple["str", ...] = ()  # noqa: UP037
    nothing: None = None
    scale: "float | None" = 0.5  # noqa: UP037


@pytest.mark.parametrize("cls", [*CLASSES, Quoted], ids=lambda c: c.__name__)
def test_types_are_read_as_python_reads_them(cls: type) -> None:
    assert hints(cls) == get_type_hints(cls)
    assert list(hints(cls)) == list(get_type_hints(cls))


@every_class
def test_every_setting_says_in_a_sentence_what_it_is(cls: type) -> None:
    for d in described(cls):
        assert len(d.sentence) > 8, d.name
        assert d.sentence.endswith("."), d.name
        assert "\n" not in d.sentence


@every_class
def test_every_name_and_every_whole_number_has_a_range(cls: type) -> None:
    for d in described(cls):
        own = cls.__name__ == "Table" and d.name in ("file", "inputs", "targets")  # of the user's own file
        if plain(cls, d.name) in (int, str) and not own:
            assert d.range, d.name


@every_class
def test_defaults_are_in_range(cls: type) -> None:
    made = cls()
    for d in described(cls):
        assert getattr(made, d.name) == d.default
        assert fitted(cls, d.name, d.default) == d.default


@every_class
def test_no_string_under_a_field_that_nothing_reads(cls: type) -> None:
    for node in ast.walk(ast.parse(getsource(importlib.import_module(cls.__module__)))):
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
            for one, after in zip(node.body, node.body[1:], strict=False):
                field = isinstance(one, ast.AnnAssign) and "ClassVar" not in ast.unparse(one.annotation)
                assert not (field and isinstance(after, ast.Expr)), ast.unparse(one)


# What is taken and what is refused


@every_class
@some
@given(data=st.data())
def test_what_is_in_range_is_taken(cls: type, data: st.DataObject) -> None:
    """As it is, by every setting; and by the class, unless another setting does not go with it, which the
    sentence names, or it is the one number in its range that does nothing."""
    for name in names(cls):
        if plain(cls, name) not in (bool, int, float, str):
            continue
        if plain(cls, name) is str and not declaration(cls, name).one_of:  # what is in a file of the user's
            continue
        one = data.draw(inside(cls, name), label=name)
        value = (one,) * len(getattr(cls(), name)) if is_list(cls, name) else one
        taken = fitted(cls, name, value)
        assert taken == value
        assert type(taken) is type(value)
        others = [*(other for other in names(cls) if other != name), "targets that are probabilities"]
        others += ["other than 0"] if value == 0 else []  # a nudge
        try:
            made, said = cls(**{name: value}), ""
        except InputError as error:
            made, said = None, str(error)
        assert any(other in said for other in others) if made is None else getattr(made, name) == value, said


@every_class
def test_what_is_just_outside_is_refused_in_one_sentence(cls: type) -> None:
    for name in names(cls):
        for value in outside(cls, name):
            said = refused(cls, **{name: (value,) if is_list(cls, name) else value})
            shown = repr(value.item() if isinstance(value, np.generic) else value)
            assert said.startswith(f"{name} must be "), said
            assert said.endswith(f"but {shown} was given"), said
            for end in ends(declaration(cls, name)).values():
                assert f" {end:g}" in said or f" {end:,}" in said


@every_class
def test_other_types_are_refused_in_one_sentence(cls: type) -> None:
    for name in names(cls):
        for value in confused(cls, name):
            said = refused(cls, **{name: (value,) if is_list(cls, name) else value})
            assert name in said.split(":")[0], said
            for allowed in declaration(cls, name).one_of:
                assert allowed in said


@every_class
def test_none_is_taken_where_the_annotation_says_so_and_nowhere_else(cls: type) -> None:
    for name in names(cls):
        if NoneType in get_args(hint(cls, name)):
            assert fitted(cls, name, None) is None
        else:
            said = refused(cls, **{name: None})
            assert said.startswith(f"{name} must be ")
            assert said.endswith("but None was given")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: FeedbackAlignment(spread=0), "spread must be finite and greater than 0, but 0 was given"),
        (lambda: GradientDescent(momentum=1), "momentum must be at least 0 and below 1, but 1 was given"),
        (lambda: Xor(shortcut=7), "shortcut must be True or False, but 7 was given"),  # type: ignore[arg-type]
        (lambda: Xor(share=0), "share must be above 0 and at most 1, but 0 was given"),
        (lambda: Xor(target_on=math.inf), "target_on must be a finite number, but inf was given"),
        (lambda: Xor(hidden=True), "hidden must be a whole number, at least 1, but True was given"),
        (lambda: Xor(init=3), "init must be one of uniform, glorot, he, zero, but 3 was given"),  # type: ignore[arg-type]
        (lambda: Boltzmann(times=3), "times must be a list of whole numbers, but 3 was given"),  # type: ignore[arg-type]
        (
            lambda: Boltzmann(rule="sing"),
            "unknown rule 'sing': allowed are gradient, sign; did you mean 'sign'?",
        ),
        (lambda: Backprop(0.1), "optimiser must be of type Optimiser, but 0.1 was given"),  # type: ignore[arg-type]
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_the_sentence_names_the_field_what_is_allowed_and_what_was_given(
    make: Callable[[], Any], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == said


@given(st.integers(1, 10**6), st.floats(-1e6, 1e6))
def test_however_it_is_said_it_is_the_same_value(n: int, x: float) -> None:
    for value in (n, np.int64(n), np.float64(n), float(n)):
        assert repr(FeedbackAlignment(spread=value).spread) == repr(float(n))
    assert fitted(Xor, "target_on", np.float64(x)) == x
    assert type(fitted(Xor, "target_on", np.float32(x))) is float
    assert type(fitted(Boltzmann, "statistics", np.int32(n))) is int
    assert fitted(Boltzmann, "temperatures", [1, np.float64(2)]) == (1.0, 2.0)


def test_one_cell_however_a_number_is_said() -> None:
    cells = [
        Cell.of({"name": "feedback_alignment", "spread": s}, {"name": "xor"}, {})
        for s in (1, 1.0, np.float64(1), np.int8(1))
    ]
    assert len({cell.id for cell in cells}) == 1


# Classes of others


@dataclass(frozen=True)
class Leaky(Backprop):
    """A plug-in with a field that declares nothing but its type, and no __post_init__."""

    leak: float = 0.1
    spread: float = setting(0.5, "Feedback weights B are uniform in ±spread.", above=0)


@dataclass(frozen=True)
class Wide(Leaky):
    """Another default for what the base declared."""

    spread: float = 3.0


@dataclass(frozen=True)
class Forgetful(Leaky):
    """Its own __post_init__ does not call its base's."""

    def __post_init__(self) -> None:
        pass


@dataclass(frozen=True)
class ForgetfulAdam(Adam):
    def __post_init__(self) -> None:
        pass


@dataclass(frozen=True)
class ForgetfulXor(Xor):
    def __post_init__(self) -> None:
        pass


def test_a_class_without_a_post_init_is_checked() -> None:
    assert refused(Leaky, leak="much") == "leak must be a finite number, but 'much' was given"
    assert refused(Leaky, spread=-1) == "spread must be finite and greater than 0, but -1 was given"


def test_another_default_keeps_range_and_sentence() -> None:
    assert refused(Wide, spread=0) == "spread must be finite and greater than 0, but 0 was given"
    before, after = (next(d for d in described(cls) if d.name == "spread") for cls in (Leaky, Wide))
    assert after == before._replace(default=3.0)


@pytest.mark.parametrize(
    ("algorithm", "task", "said"),
    [
        (lambda: Forgetful(spread=-1), Xor, "spread must be"),
        (lambda: Forgetful(ForgetfulAdam(beta1=2.0)), Xor, "beta1 must be"),
        (Backprop, lambda: ForgetfulXor(share=2.0), "share must be"),
    ],
    ids=["algorithm", "optimiser", "task"],
)
def test_one_that_forgets_its_base_is_checked_before_it_runs(
    algorithm: Callable[[], Algorithm], task: Callable[[], Task], said: str
) -> None:
    asked = algorithm(), task()
    with pytest.raises(InputError, match=said):
        run(*asked, replicas=1, epochs=1)


def test_what_a_forgetful_one_was_given_is_made_plain_too() -> None:
    algorithm = Forgetful(spread=np.float64(2))
    check(algorithm)
    assert type(algorithm.spread) is float


@pytest.mark.parametrize(
    ("given", "meant"), [("LSTM", "lstm"), ("Tanh", "tanh"), ("LAZY", "Lazy"), ("lasy", "Lazy")]
)
def test_the_nearest_name_is_found_whatever_its_capitals(given: str, meant: str) -> None:
    assert f"did you mean {meant!r}?" in str(unknown("units", given, ["lstm", "tanh", "Lazy"]))
