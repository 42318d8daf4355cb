"""Held to the face: what it offers says what it takes and gives back, and its examples run as they stand.

A name without arguments or example cannot be used from its help alone; an example that does not run is wrong.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness import plots, results
from harness.cells.cell import Cell
from harness.store.store import Store
from harness.studies.attempt import attempt

STUB = Path(harness.__file__).with_suffix(".pyi")
ALIASES = ("Array", "Key", "Params", "State", "plots", "results")
ASKED = ("Algorithm", "Batch", "CreditAlgorithm", "Edge", "Network", "Optimiser", "Rand", "Task")
"""Classes whose methods a plug-in calls or defines."""
FIGURES = (
    *(plots.credit_figure, plots.curve_figure, plots.ert_bars, plots.failure_map, plots.growth_figure),
    *(
        plots.hinton_figure,
        plots.learning_figure,
        plots.pareto_figure,
        plots.profile_figure,
        plots.setting_figure,
    ),
    *(plots.similarity_figure, plots.survival_figure, plots.sweep_figure, plots.verdict_figure),
    *(plots.alignment_figure, plots.association_figure, plots.rate_figure),
    *(plots.agreement_figure, plots.ranks_figure),
)
FRAMES = (results.cells, results.cost, results.credit, results.curves, results.records, results.replicas)


def face() -> dict[str, Any]:
    """The names of the stub that can be called."""
    lines = [
        node for node in ast.parse(STUB.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)
    ]
    names = [alias.asname or alias.name for node in lines for alias in node.names]
    return {name: getattr(harness, name) for name in names if name not in ALIASES}


def functions() -> dict[str, Callable[..., Any]]:
    own = {name: thing for name, thing in face().items() if not inspect.isclass(thing)}
    return own | {f.__name__: f for f in (*FRAMES, *FIGURES)}


def methods() -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public methods of the classes a plug-in meets, with those that `Network` has of its wiring."""
    for name in ASKED:
        for own, thing in inspect.getmembers(getattr(harness, name)):
            function = getattr(thing, "__func__", thing)
            if (
                not own.startswith("_")
                and inspect.isfunction(function)
                and function.__module__.startswith("harness.")
            ):
                yield f"{name}.{own}", function


def parameters(function: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


MODULES = sorted({thing.__module__ for thing in (*face().values(), *FRAMES, *FIGURES)})
METHODS = dict(methods())


def lacking(doc: str, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word not in doc]


@pytest.mark.parametrize("name", functions())
def test_a_function_says_what_it_takes_and_returns_and_shows_it(name: str) -> None:
    """Without this, help(function) does not say how to call it."""
    function = functions()[name]
    doc = inspect.getdoc(function) or ""
    wanted = ("\nReturns:\n", ">>> ", *(["\nArgs:\n"] if parameters(function) else []))
    assert not lacking(doc, wanted)
    assert not lacking(doc.partition("\nArgs:\n")[2], tuple(parameters(function)))


@pytest.mark.parametrize("name", [name for name, thing in face().items() if inspect.isclass(thing)])
def test_a_class_says_what_it_is_made_of_and_shows_it(name: str) -> None:
    thing = face()[name]
    doc = inspect.getdoc(thing) or ""
    assert ">>> " in doc
    if name not in ("Algorithm", "InputError"):  # it has no settings; it takes a sentence
        assert not lacking(doc.partition("\nArgs:\n")[2], tuple(parameters(thing)))


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_plug_ins_meet_says_what_it_takes_and_returns(name: str) -> None:
    doc = inspect.getdoc(METHODS[name]) or ""
    assert "\nReturns:\n" in doc
    assert not lacking(doc.partition("\nArgs:\n")[2], tuple(parameters(METHODS[name])))


@pytest.fixture(scope="module")
def first_light(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a small study of the name that the examples use."""
    store = Store.at(tmp_path_factory.mktemp("examples") / "store").prepare()
    cell = Cell.of({"name": "backprop"}, {"name": "xor"}, {"replicas": 4, "epochs": 20, "probe": 2})
    assert attempt(cell, store)
    store.write_study("first_light", "", [cell.id])
    return store


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_run(module: str, first_light: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each shows what it says it shows, read from the store that HARNESS_STORE names."""
    monkeypatch.setenv("HARNESS_STORE", str(first_light.path))
    importlib.import_module(module)
    done = doctest.testmod(sys.modules[module])
    assert done.attempted
    assert not done.failed
