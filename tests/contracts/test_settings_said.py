"""A rule's own rate reached by one name, and the settings as the catalog and --help print them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import is_dataclass, replace
from typing import Any

import pytest

from harness.cells.cell import Cell
from harness.cli import catalog
from harness.cli.settings import in_words
from harness.core import registry
from harness.core.errors import InputError
from harness.core.optimisers import Optimiser
from harness.core.setting import described
from harness.store.store import Store

Harness = Callable[..., tuple[int, str, str]]

# A rule's own rate

NONE = dict.fromkeys(("genetic", "hopfield", "decision_tree", "rule_base"), "")
OWN = {"boltzmann": "step", "spsa": "a", **NONE} | dict.fromkeys(
    ("delta_rule", "perceptron", "random_feature_perceptron", "mean_field", "restricted_boltzmann"), "lr"
)
RATED = [name for name in registry.algorithms() if OWN.get(name) != ""]


def by_its_own_name(name: str, rate: float) -> dict[str, Any]:
    own, default = OWN.get(name, ""), getattr(registry.algorithms()[name](), "optimiser", None)
    if own:
        return {"name": name, own: rate}
    assert isinstance(default, Optimiser)
    return {"name": name, "optimiser": registry.settings_of(replace(default, lr=rate))}


@pytest.mark.parametrize("name", RATED)
def test_a_rate_reaches_the_rules_own_whatever_it_is_called(name: str) -> None:
    """The same cell, whose record knows the rule's own name only."""
    cells = [
        Cell.of(how, {"name": "xor"}, {})
        for how in ({"name": name, "rate": 0.125}, by_its_own_name(name, 0.125))
    ]
    assert cells[0] == cells[1]
    assert cells[0].id == cells[1].id
    assert "rate" not in cells[0].settings_by_name()["algorithm"]


@pytest.mark.parametrize("name", RATED)
def test_a_rate_said_twice_is_one_sentence(name: str) -> None:
    own = OWN.get(name) or "optimiser.lr"
    with pytest.raises(InputError) as caught:
        registry.build_algorithm({**by_its_own_name(name, 0.25), "rate": 0.125})
    assert (
        str(caught.value)
        == f"rate is {own} of {name}, but rate=0.125 and {own}=0.25 were given: give one of them"
    )


def test_a_rule_without_a_rate_says_so() -> None:
    with pytest.raises(InputError) as caught:
        registry.build_algorithm({"name": "genetic", "rate": 0.1})
    assert str(caught.value) == "genetic has no rate of its own, but rate=0.1 was given: leave it out"


@pytest.mark.parametrize("rate", [0.0, -0.1, math.nan, math.inf, True, "fast"])
def test_a_bad_rate_is_called_what_it_was_called(rate: Any) -> None:
    for name in RATED:
        with pytest.raises(
            InputError, match=rf"^rate must be finite and greater than 0, but {rate!r} was given$"
        ):
            registry.build_algorithm({"name": name, "rate": rate})


def test_a_rate_on_the_command_line_is_the_same_record(harness: Harness, store: Store) -> None:
    small = ("task=xor", "run.replicas=2", "run.epochs=2")
    for how in ("algorithm.rate=20", "algorithm.a=20", "algorithm.rate=null algorithm.a=20.0"):
        code, _, err = harness("algorithm=spsa", *how.split(), *small)
        assert code == 0, err
    (record,) = store.records("scratch")
    assert record.meta["algorithm"]["a"] == 20.0
    assert "rate" not in record.meta["algorithm"]


# Who reads them


@pytest.mark.parametrize("name", registry.algorithms())
def test_the_catalog_prints_every_setting_with_default_range_and_sentence(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog.main([f"algorithm={name}", "task=digits"])
    said = " ".join(capsys.readouterr().out.split())
    algorithm = registry.algorithms()[name]
    for prefix, cls in (("algorithm", algorithm), ("task", registry.tasks()["digits"])):
        for d in described(cls):
            for part in (f"{prefix}.{d.name}", d.range, d.sentence) if not is_dataclass(d.default) else ():
                assert part in said
    if OWN.get(name) != "":
        assert "also algorithm.rate" in said


def test_help_ends_with_the_settings_of_what_was_chosen(harness: Harness) -> None:
    code, out, err = harness(
        "--help", "algorithm=feedback_alignment", "algorithm/optimiser=adam", "task=traffic"
    )
    assert code == 0, err
    assert in_words("feedback_alignment", "adam", "traffic") in out
    assert "algorithm.optimiser.beta1=0.9 a number, at least 0 and below 1 Decay" in " ".join(out.split())
    assert out.index("algorithm.spread=0.5") < out.index("task.window=12") < out.index("  run.replicas=100 ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["algorithm=backprob"], "did you mean 'backprop'?"),
        (
            ["algorithm=genetic", "algorithm/optimiser=adam"],
            "algorithm/optimiser=adam would be ignored: genetic has none",
        ),
        (["algorithms"], "'algorithms' was given"),
    ],
)
def test_what_the_catalog_does_not_know_is_one_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        catalog.main(arguments)
    out, err = capsys.readouterr()
    assert (end.value.code, out, err.count("\n")) == (2, "", 1)
    assert said in err
