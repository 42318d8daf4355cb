"""Checks of what must hold for any credit: of patterns, of units, of rates, of what gets none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.checks.subject import Step, Subject, unequal, with_rate
from harness.checks.verdicts import Idle
from harness.core import registry
from harness.core.algorithm import CreditAlgorithm
from harness.core.edges import Edge
from harness.core.tree import leaves
from harness.credit.altered import Count
from harness.training.preflight import Broken, place

CLOSE = 1e-9  # of the largest credit: sums in another order
PATTERNS = ("x", "target", "wanted")


def _shown(step: Step, order: Any) -> Step:
    batch = step.at.batch
    shown = {name: getattr(batch, name)[..., order, :] for name in PATTERNS}
    return step._replace(at=step.at._replace(batch=batch._replace(**shown)))


def _close(s: Subject, one: Mapping[Any, Any], other: Mapping[Any, Any], found: str) -> None:
    size = max((float(np.abs(a).max(initial=0.0)) for a in one.values()), default=0.0)
    for key, a in one.items():
        gap = float(np.abs(a - other[key]).max(initial=0.0)) if key in other else np.inf
        if not gap <= CLOSE * max(size, 1e-300):
            name = getattr(key, "name", key)
            where = place(s.rule, "credit")
            raise Broken(f"the credit of {name} is {found}, by up to {gap:.3g} of {size:.3g} ({where})")


def duplicated_patterns_count_twice(s: Subject) -> None:
    """Is the credit of every pattern shown twice twice the credit?"""
    s.without_noise(step := s.begin())
    n = step.at.batch.x.shape[-2]
    twice = s.credit(_shown(step, np.repeat(np.arange(n), 2)))
    _close(
        s,
        {k: 2 * np.asarray(a) for k, a in s.credit(step).items()},
        twice,
        "not twice as large for every pattern twice",
    )


def order_of_patterns_does_not_matter(s: Subject) -> None:
    """Has a batch in another order the same credit?"""
    s.without_noise(step := s.begin())
    n = step.at.batch.x.shape[-2]
    _close(
        s, s.credit(step), s.credit(_shown(step, np.arange(n)[::-1])), "another for patterns in another order"
    )


def no_error_no_credit(s: Subject) -> None:
    """Do weights get no credit where the outputs are their targets?"""
    step = s.begin()
    if not s.rule.promise:
        raise Idle("it promises nothing about the gradient of the loss")
    y = s.rule.predict(step.at.net, step.state, step.at.batch.x)
    batch = step.at.batch._replace(target=y, wanted=y > 0.5)
    credit = s.credit(step._replace(at=step.at._replace(batch=batch)))
    for key, a in credit.items():
        if (worst := float(np.abs(a).max(initial=0.0))) > 1e-6:
            raise Broken(
                f"{getattr(key, 'name', key)} gets credit up to {worst:.3g} where every output is "
                f"its target, but none was expected ({place(s.rule, 'credit')})"
            )


def hidden_units_have_no_order(s: Subject) -> None:
    """Does credit go with the unit when two hidden units change places?"""
    s.without_noise(step := s.begin())
    own = s.is_credit and type(s.rule).init is not CreditAlgorithm.init
    if own or any(a[0].size > 1 for _, a in leaves(step.state.get("memory", {}))):
        raise Idle("it remembers things of its units, which would have to change places, too")
    hidden = step.at.net.hidden
    if not hidden:
        raise Idle("its network has no hidden units")
    group = hidden[0]
    net = step.at.net
    if net.gates or any(type(edge) is not Edge or edge.weights != edge for edge in net.edges):
        raise Idle("its network has other ways than dense edges, whose units have places")
    turn = np.roll(np.arange(group.size), 1)

    def turned(params: Mapping[Any, Any]) -> dict[Any, Any]:
        new = dict(params)
        for edge in step.at.net.edges:
            if edge.target == group:
                new[edge] = new[edge][..., :, turn] if edge in new else None
            if edge.source == group:
                new[edge] = new[edge][..., turn, :] if edge in new else None
        if group in new:
            new[group] = new[group][..., turn]
        return {key: a for key, a in new.items() if a is not None}

    moved = step._replace(state={**step.state, "params": turned(step.state["params"])})
    _close(s, turned(s.credit(step)), s.credit(moved), "another where two hidden units have changed places")


def rate_zero_moves_nothing(s: Subject) -> None:
    """Do weights stay the same bits at a rate of zero?"""
    path = registry.rate_path(s.rule)
    if not path:
        raise Idle("it has no rate")
    still = with_rate(s.rule, path, 0.0)
    owners = (still, getattr(still, path[0], None))
    if decay := next((d for owner in owners if (d := getattr(owner, "decay", 0.0))), 0.0):
        raise Idle(f"weights decay by {decay:g}, whatever the rate")
    step = s.begin(rule=still)
    after = s.updates(step, 3, rule=still)
    if name := unequal(step.state["params"], after.state["params"]):
        raise Broken(
            f"{name} moves at {'.'.join(path)}=0, but every weight was expected to stay ({place(s.rule)})"
        )


def rate_matters(s: Subject) -> None:
    """Does half the rate make another step?"""
    path = registry.rate_path(s.rule)
    if not path:
        raise Idle("it has no rate")
    owner: Any = s.rule
    for name in path:
        owner = getattr(owner, name)
    half = with_rate(s.rule, path, owner / 2)
    one, other = s.updates(s.begin(), 2).state, s.updates(s.begin(rule=half), 2, rule=half).state
    if not unequal(one["params"], other["params"]):
        raise Broken(f"{'.'.join(path)} changes no weight in two updates ({place(s.rule)})")


def what_gets_no_credit_stays(s: Subject) -> None:
    """Do weights that are left out of the credit keep their bits?"""
    step = s.begin()
    credit = s.credit(step)
    left = [key for key in step.state["params"] if key not in credit]
    if not left:
        raise Idle("every weight gets credit")
    after = s.updates(s.begin(), 3).state["params"]
    for key in left:
        if after[key].tobytes() != step.state["params"][key].tobytes():
            raise Broken(f"{getattr(key, 'name', key)} gets no credit, and moves ({place(s.rule)})")


def memory_stays(s: Subject) -> None:
    """Does what it remembers stay the same bits over ten updates, unless it has an update of its own?"""
    if not s.is_credit:
        raise Idle("it is not a credit algorithm")
    if type(s.rule).update is not CreditAlgorithm.update:
        raise Idle("its update is its own, and may change what it remembers")
    step = s.begin()
    if next(leaves(step.state["memory"]), None) is None:
        raise Idle("it remembers nothing")
    if name := unequal(step.state["memory"], s.updates(step, 10).state["memory"]):
        raise Broken(f"{name} of its memory changes in ten updates ({place(s.rule)})")


def predictions_are_of_single_patterns(s: Subject) -> None:
    """Is a prediction the same whatever else is asked?"""
    step = s.begin()
    x = step.at.data.x
    whole = s.rule.predict(step.at.net, step.state, x)
    expected = (len(step.at.data.x) if len(x) > 1 else 4, *step.at.data.target.shape[1:])
    if whole.shape != expected:
        raise Broken(
            f"predict gives {whole.shape}, but outputs {expected} were expected ({place(s.rule, 'predict')})"
        )
    part = s.rule.predict(step.at.net, step.state, x[..., :3, :])
    if not np.allclose(whole[..., :3, :], part, rtol=1e-9, atol=1e-12):
        raise Broken(
            f"a pattern has another prediction among three than among all ({place(s.rule, 'predict')})"
        )


def other_networks(s: Subject) -> None:
    """Does it learn in networks of one, two and three hidden groups, or say why not?"""
    for hidden in ((3,), (5, 2), (3, 4, 3)):
        task = Count(hidden=hidden)
        if s.algorithm.refusal(task):
            continue
        other = Subject(s.algorithm, task)
        other.updates(other.begin(), 1)


CHECKS: tuple[Callable[[Subject], None], ...] = (
    duplicated_patterns_count_twice,
    order_of_patterns_does_not_matter,
    no_error_no_credit,
    hidden_units_have_no_order,
    rate_zero_moves_nothing,
    rate_matters,
    what_gets_no_credit_stays,
    memory_stays,
    predictions_are_of_single_patterns,
    other_networks,
)
