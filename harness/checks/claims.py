"""Checks of what an algorithm claims of the gradient and its traits; that it can be counted and compiled."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.checks.subject import Subject
from harness.checks.verdicts import Idle
from harness.core import registry
from harness.core.errors import InputError
from harness.core.exact_gradient import exact_gradient
from harness.credit.averages import largest
from harness.credit.compare import TOTAL
from harness.credit.gradient_check import CHANCE, check
from harness.credit.report import GradientCheck
from harness.credit.traits import contradictions
from harness.experiment.run import run
from harness.identities.lattice import declared_by
from harness.identities.measure import measure
from harness.training.preflight import Broken, place

EXACT, NEAR = 6.0, 2.0  # digits of agreement with differences
DRAWS = 400


def _checked(s: Subject) -> GradientCheck:
    try:
        return check(Cell(*resolve(s.algorithm, s.task, Settings(replicas=4))), draws=DRAWS)
    except InputError as error:
        raise Idle(str(error)) from error


def promise_holds(s: Subject) -> None:
    """Is its credit what it promises: the exact gradient, that in the limit, or within 90° of it?"""
    promise = s.rule.promise
    if not promise:
        raise Idle("it promises nothing about the gradient")
    if promise in ("exact", "limit"):
        _biases_learn(s)
    found = _checked(s)
    partly = any(group.word and group.word != "no noise" for group in found.groups.values())
    for name, group in found.groups.items():
        if (group.word and group.word != "no noise") or (name == TOTAL and partly):
            continue  # some weights are meant to get no credit
        said = f"{name}: {promise!r} is promised, but "
        noisy, digits = found.draws > 1, {"exact": EXACT, "limit": NEAR}.get(promise, 0.0)
        if promise == "limit" and noisy and group.word:  # the same in every draw
            if not group.bias <= 10.0**-NEAR:
                raise Broken(
                    f"{said}without noise it is off by {group.bias:.2g} of the gradient ({place(s.rule)})"
                )
        elif promise == "limit" and noisy and not group.z <= largest(group.weights, CHANCE):
            raise Broken(
                f"{said}the mean of {found.draws} draws is off by {group.z:.1f} standard errors "
                f"({place(s.rule)})"
            )
        if (promise == "exact" or not noisy) and not (digits == 0 or group.central >= digits):
            raise Broken(
                f"{said}its credit agrees with differences to {group.central:.1f} digits, "
                f"and {digits:g} were expected ({place(s.rule)})"
            )
        if promise == "direction" and not group.angle < 90.0:
            raise Broken(f"{said}its credit lies {group.angle:.0f}° off the gradient ({place(s.rule)})")


def _biases_learn(s: Subject) -> None:
    """Raise `Broken` where weights into units get credit, and the biases of these units get none."""
    step = s.begin()
    credit, net = s.credit(step), step.at.net
    for group in (*net.hidden, net.output):
        weights = [e.weights for e in net.into(group) if e.weights in credit]
        if group in step.state["params"] and weights and group not in credit:
            raise Broken(
                f"{group.name}: the weights into it get credit, and its bias gets none, "
                f"but {s.rule.promise!r} is promised ({place(s.rule)})"
            )


def promise_holds_later(s: Subject) -> None:
    """Is its credit still the gradient where weights have moved, late in training, and of one pattern?"""
    if s.rule.promise != "exact":
        raise Idle("it does not promise the exact gradient")
    s.without_noise(s.begin())
    step = s.updates(s.late(s.begin()))
    batch = step.at.batch
    one = {name: getattr(batch, name)[..., 1:2, :] for name in ("x", "target", "wanted")}
    for seen, words in ((batch, "of all patterns"), (batch._replace(**one), "of one pattern")):
        now = step._replace(at=step.at._replace(batch=seen))
        params = now.state["params"]
        gradient = exact_gradient(now.at.net, params, seen).gradient
        for key, credit in s.credit(now).items():
            if not np.allclose(credit, gradient[key], rtol=1e-6, atol=1e-9):
                raise Broken(
                    f"{getattr(key, 'name', key)}: after three updates, late in training, its credit {words} "
                    f"is up to {np.abs(credit - gradient[key]).max():.2g} off the gradient it promises "
                    f"({place(s.rule)})"
                )


def identities_hold(s: Subject) -> None:
    """Is it the rules that it says it is, or near them, where it says so?"""
    rows = declared_by(type(s.algorithm))
    if not rows:
        raise Idle("it declares no identities")
    found = [measure(row) for row in rows]
    if broken := [each for each in found if not (each.holds or each.idle)]:
        row = broken[0].identity
        raise Broken(f"{row.name}, {row.statement!r}: {broken[0].said} ({place(s.algorithm)})")
    if idle := [each for each in found if each.idle]:
        raise Idle(f"{idle[0].identity.name}: {idle[0].said}")


def traits_hold(s: Subject) -> None:
    """Are its traits what interventions show?"""
    if not hasattr(s.algorithm, "traits"):
        raise Idle("it says none")
    if said := contradictions(s.algorithm):
        raise Broken(f"{said[0]} ({place(s.algorithm)})")


def it_is_counted(s: Subject) -> None:
    """Can the operations of an update be counted?"""
    from harness.cost.sheet import cost_of

    numbers = cost_of(Cell(*resolve(s.algorithm, s.task, Settings(replicas=4))))
    if "update.work" not in numbers:
        raise Broken(
            f"an update cannot be counted: {numbers.get('reason', 'nothing was counted')} ({place(s.rule)})"
        )
    if not numbers["update.work"] > 0:
        raise Broken(f"an update costs no operation ({place(s.rule)})")


def compiled_is_interpreted(s: Subject) -> None:
    """Compiled, does it learn what it learns interpreted?"""
    if find_spec("jax") is None:
        raise Idle("JAX is not installed")
    runs = [
        run(s.algorithm, s.task, replicas=4, epochs=8, backend=each, progress=False)
        for each in ("numpy", "jax")
    ]
    if why := runs[1].trained.ran.get("why"):
        raise Idle(f"it runs interpreted: {why}")
    for name, a in runs[0].trained.weights.items():
        b = runs[1].trained.weights[name]
        if not np.allclose(a, b, rtol=1e-6, atol=1e-9):
            raise Broken(
                f"{name} differs by up to {np.abs(a - b).max():.3g} where it is compiled ({place(s.rule)})"
            )


def it_runs_by_name(s: Subject) -> None:
    """Do commands find it by its name?"""
    if s.algorithm.name not in registry.algorithms():
        raise Idle("it is no option: it was defined in a session, or its file is not among the plug-ins")
    registry.an_algorithm(s.algorithm.name)


CHECKS: tuple[Callable[[Subject], None], ...] = (
    promise_holds,
    promise_holds_later,
    identities_hold,
    traits_hold,
    it_is_counted,
    compiled_is_interpreted,
    it_runs_by_name,
)
