"""`python -m harness.power name=value …`: how many replicas does a question take, and would so many tell?

Which question it is follows from what is given; `--help` says them all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.cli.arguments import one_sentence
from harness.core.errors import InputError, unknown
from harness.experiment.digits import number, percent
from harness.statistics import (
    claim_power,
    fisher_power,
    replicas_for_running_time,
    replicas_for_two_rates,
    replicas_for_width,
    running_time_power,
    wilson,
)
from harness.statistics.power import CELLS, ENUMERATED

SAID = {
    "rate": "share of replicas that solve the task",
    "rates": "two of them, with a comma between",
    "width": "of the interval of the share, upper − lower end",
    "factor": "upper ÷ lower end of the interval of the expected running time",
    "ratio": "of the expected running times of two rules",
    "variation": "standard deviation ÷ mean of what a solved replica spends",
    "failure": "what a failed replica spends, in means of a solved one: budget ÷ mean time",
    "n": "replicas, of either side",
    "hits": "of the printed runs",
    "runs": "that were printed",
    "power": "how often a difference that is there shall be seen",
    "alarm": "how often one that is not there may be",
    "level": "of the interval",
    "seed": "of the simulation",
}
"""What each setting is."""
COUNTS = ("n", "hits", "runs", "seed")


@dataclass(frozen=True)
class Question:
    """One that can be asked: what it is told by, and how it is answered."""

    text: str
    answer: Callable[..., str]
    needs: tuple[str, ...]
    usual: Mapping[str, Any] = field(default_factory=dict)
    example: str = ""


def _width(rate: float, width: float, level: float) -> str:
    n = replicas_for_width(rate, width, level)
    low, high = wilson(rate * n, n, level)
    return (
        f"n = {number(n)}: Wilson's {100 * level:g} % interval of {percent(rate)} is then "
        f"[{100 * low:.1f}–{100 * high:.1f}]"
    )


def _two(rates: tuple[float, float], power: float, alarm: float) -> str:
    n = replicas_for_two_rates(*rates, power, alarm)
    told = f", power {fisher_power(*rates, n, alarm):.3f}" if n <= ENUMERATED else ""
    return (
        f"n = {number(n)} a side: Fisher's exact test tells {percent(rates[0])} from {percent(rates[1])} "
        f"at a false-alarm rate of {100 * alarm:g} %{told}"
    )


def _time(factor: float, rate: float, variation: float, failure: float, level: float) -> str:
    n = replicas_for_running_time(factor, rate, variation, failure, level)
    return (
        f"n = {number(n)}: with {percent(rate)} solved, the {100 * level:g} % interval of the expected "
        f"running time is then about from x to {factor:g} x"
    )


def _ratio(**given: Any) -> str:
    told = running_time_power(**given)
    return (
        f"power {told.value:.3f} [{told.low:.3f}–{told.high:.3f}]: of {CELLS} simulated comparisons of "
        f"{number(given['n'])} replicas a side, those whose {100 * given['level']:g} % interval of a ratio "
        f"of {given['ratio']:g} excludes 1"
    )


def _claim(hits: int, runs: int, n: int, alarm: float) -> str:
    power = claim_power(hits, runs, n, alarm)
    return (
        f"power {power:.3f}: so often {number(n)} replicas contradict {hits} of {runs}, "
        "if the truth is half or twice as much"
    )


LEVEL, ALARM = {"level": 0.95}, {"alarm": 0.05}
QUESTIONS = (
    Question("n for an interval of a solved share of this width (Wilson)", _width, ("rate", "width"), LEVEL),
    Question(
        "n a side for telling two solved shares apart (Fisher's exact test, by enumeration)",
        _two,
        ("rates",),
        {"power": 0.8} | ALARM,
    ),
    Question(
        "n for an interval of the expected running time from x to factor · x",
        _time,
        ("factor", "rate", "variation", "failure"),
        LEVEL,
    ),
    Question(
        "power of telling a ratio of two expected running times from 1, by simulation",
        _ratio,
        ("ratio", "n", "rate", "variation", "failure"),
        LEVEL | {"seed": 0},
    ),
    Question(
        "power of a verdict on a printed share, against half or twice of it",
        _claim,
        ("hits", "runs", "n"),
        {"alarm": 0.01},
    ),
)
EXAMPLES = ("rates=.8,.95 power=.9", "ratio=2 n=40 rate=.93 variation=.6 failure=17")


def help_text() -> str:
    """All that can be asked and given, and two examples."""
    lines = ["python -m harness.power name=value …: how many replicas, and would so many tell?", ""]
    for question in QUESTIONS:
        usual = [f"[{name}={value:g}]" for name, value in question.usual.items()]
        lines += [
            f"  {' '.join([*(f'{name}=…' for name in question.needs), *usual])}",
            f"      {question.text}",
        ]
    lines += ["", *(f"  {name:10}{what}" for name, what in SAID.items()), "", "For example:"]
    return "\n".join([*lines, *(f"  python -m harness.power {example}" for example in EXAMPLES)])


def answer(arguments: Sequence[str]) -> str:
    """What is asked, answered in a line. Raises `InputError` where it is no question, or has no answer."""
    given = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not equals or name in given:
            raise InputError(f"power takes name=value, each name once, but {argument!r} was given")
        if name not in SAID:
            raise unknown("setting of power", name, SAID)
        given[name] = _value(name, text)
    for question in QUESTIONS:
        if set(question.needs) <= set(given) <= {*question.needs, *question.usual}:
            return question.answer(**{**question.usual, **given})
    choices = "; ".join(" ".join(question.needs) for question in QUESTIONS)
    raise InputError(
        f"power asks one of these: {choices}; but {' '.join(given) or 'nothing'} was given: see --help"
    )


def _value(name: str, text: str) -> Any:
    try:
        if name in COUNTS:
            return int(text.replace("_", ""))
        if name != "rates":
            return float(text)
        first, second = (float(part) for part in text.split(","))
    except ValueError:
        kind = "two numbers with a comma between" if name == "rates" else "a number"
        whole_kind = "a whole number" if name in COUNTS else kind
        raise InputError(f"{name} must be {whole_kind}, but {text!r} was given") from None
    return first, second


@one_sentence()
def main() -> None:
    """Print the answer, or what can be asked; exit code 2 for bad input."""
    arguments = sys.argv[1:]
    print(help_text() if {"-h", "--help"} & set(arguments) else answer(arguments))


if __name__ == "__main__":
    main()
