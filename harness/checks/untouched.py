"""Checks that an algorithm leaves alone what is not its own: global streams, and what it is handed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from harness.checks.subject import Subject
from harness.training.preflight import Broken, begun, fitting_credit, frozen, held, place, updated


def init_leaves_everything_alone(s: Subject) -> None:
    """Does its start draw from rand alone, and write to none of the weights it is handed?"""
    s.begin()


def update_leaves_everything_alone(s: Subject) -> None:
    """Does an update draw from rand alone, and write to nothing it is handed, the second time, too?"""
    s.updates(s.begin(), 2)


def it_makes_no_generator(s: Subject) -> None:
    """Does an update draw from rand alone, and from no generator that it makes for itself?"""
    # one that it seeds itself gives every replica the same noise, and the same again under every seed
    step, made = s.begin(), list[str]()
    plain, old = np.random.default_rng, np.random.RandomState

    def default_rng(*args: Any, **named: Any) -> Any:
        if not str(sys._getframe(1).f_globals.get("__name__", "")).startswith("harness."):
            made.append("default_rng")
        return plain(*args, **named)

    class RandomState(old):  # type: ignore[misc,valid-type]  # NumPy asks whether things are of this class
        def __init__(self, *args: Any, **named: Any) -> None:
            made.append("RandomState")
            super().__init__(*args, **named)

    patched: Any = np.random
    try:
        patched.default_rng, patched.RandomState = default_rng, RandomState
        s.updates(step, 2)
    finally:
        patched.default_rng, patched.RandomState = plain, old
    if made:
        raise Broken(
            f"an update makes a generator by np.random.{made[0]}, whose numbers are the same for all "
            f"replicas: draw from rand, as by rand.normal(…) ({place(s.rule)})"
        )


def predict_leaves_everything_alone(s: Subject) -> None:
    """Does a prediction draw nothing and write to nothing?"""
    step = s.begin()
    before, x = step.at.noise.taken, frozen(step.at.data.x)
    held(s.rule, lambda: s.rule.predict(step.at.net, frozen(step.state), x), "predict")
    if step.at.noise.taken != before:
        raise Broken("predict draws random numbers, but it must be a function of state and patterns")


def applies_to_is_a_question(s: Subject) -> None:
    """Does asking whether it can do a task change nothing?"""
    held(s.rule, lambda: s.rule.applies_to(s.where), "applies_to")


def credit_is_one_of_these_weights(s: Subject) -> None:
    """Is its credit a Credit, by parameter, in the shape of the weights?"""
    step = s.begin()
    given: Any = s.credit(step)
    fitting_credit(s.rule, (given, None), step.state["params"])


def start_is_a_state(s: Subject) -> None:
    """Does its state hold the weights, and nothing but arrays with the replica axis first?"""
    begun(s.rule, s.begin().at, 4)


def state_keeps_its_form(s: Subject) -> None:
    """Do names, shapes and precision of the state stay over five updates?"""
    s.updates(s.begin(), 5)


def float32_stays(s: Subject) -> None:
    """Does a run in float32 stay in float32?"""
    s.updates(s.begin(dtype="float32"), 3)


def one_replica_is_enough(s: Subject) -> None:
    """Does a single network learn as well?"""
    s.updates(s.begin([2]), 1)


def one_pattern_is_enough(s: Subject) -> None:
    """Can it learn from one pattern at a time?"""
    step = s.begin()
    one = step.at.batch._replace(
        **{name: getattr(step.at.batch, name)[..., :1, :] for name in ("x", "target", "wanted")}
    )
    updated(s.rule, step.at._replace(batch=one), step.state)


CHECKS: tuple[Callable[[Subject], None], ...] = (
    init_leaves_everything_alone,
    update_leaves_everything_alone,
    it_makes_no_generator,
    predict_leaves_everything_alone,
    applies_to_is_a_question,
    credit_is_one_of_these_weights,
    start_is_a_state,
    state_keeps_its_form,
    float32_stays,
    one_replica_is_enough,
    one_pattern_is_enough,
)
