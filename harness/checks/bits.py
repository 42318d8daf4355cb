"""Checks that replica i has the same bits alone, in any batch, after any other leaves, and after a resume."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

from harness.checks.subject import REPLICAS, Step, Subject, rows, unequal, with_rate
from harness.checks.verdicts import Idle
from harness.core.errors import InputError
from harness.core.riding import numbers, riding
from harness.core.tree import leaves, rebuilt, tree_map
from harness.training.preflight import Broken, place


def _same(s: Subject, one: Any, other: Any, found: str) -> None:
    if name := unequal(one, other):
        raise Broken(f"{name} has other bits {found}, but the same were expected ({place(s.rule)})")


def the_same_again(s: Subject) -> None:
    """Has the same run the same bits a second time?"""
    one, other = (s.updates(s.begin()).state for _ in range(2))
    _same(s, one, other, "in a second run of the same replicas")


def alone_as_in_a_batch(s: Subject) -> None:
    """Has a replica the bits that it has alone?"""
    together, alone = s.updates(s.begin()).state, s.updates(s.begin([2])).state
    _same(s, rows(together, slice(2, 3)), alone, "in a batch than alone")


def late_alone_as_in_a_batch(s: Subject) -> None:
    """Has a replica the bits that it has alone, after a thousand sweeps, too?"""
    together, alone = (s.updates(s.late(s.begin(which))).state for which in (REPLICAS, [2]))
    _same(s, rows(together, slice(2, 3)), alone, "in a batch than alone, late in training")


def permuted(s: Subject) -> None:
    """Does the order of replicas matter to none of them?"""
    order = [3, 1, 0, 2]
    plain, turned = s.updates(s.begin()).state, s.updates(s.begin(order)).state
    _same(s, rows(plain, order), turned, "where the replicas stand in another order")


def split(s: Subject) -> None:
    """Are two halves of a batch the batch?"""
    whole = s.updates(s.begin()).state
    for some in (slice(0, 2), slice(2, 4)):
        _same(s, rows(whole, some), s.updates(s.begin(list(REPLICAS)[some])).state, "in half a batch")


def compacted(s: Subject) -> None:
    """Do the others go on as they were when a replica leaves the batch?"""
    stays = np.array([True, False, True, True])
    whole = s.updates(s.begin(), 4).state
    half = s.updates(s.begin(), 2)
    half.at.noise.keep(stays)
    data = half.at.batch
    mine = {
        name: (a[stays] if len(a := getattr(data, name)) > 1 else a) for name in ("x", "target", "wanted")
    }
    rest = Step(half.at._replace(batch=data._replace(**mine)), rows(half.state, stays))
    _same(s, rows(whole, stays), s.updates(rest, 2).state, "after another replica has left")


def others_weights_do_not_matter(s: Subject) -> None:
    """Does a replica learn the same whatever the weights of another are?"""
    plain, moved = s.begin(), s.begin()

    def shaken(a: Any) -> Any:
        return np.concatenate([a[:1] * 1.5 + 0.25, a[1:]]) if a.dtype.kind == "f" else a

    params = tree_map(shaken, moved.state["params"])
    moved = moved._replace(state={**moved.state, "params": params})
    one, other = (rows(s.updates(step).state, slice(1, 4)) for step in (plain, moved))
    _same(s, one, other, "where another replica has other weights")


def others_patterns_do_not_matter(s: Subject) -> None:
    """Does a replica learn the same whatever patterns another is shown?"""
    plain, moved = s.begin(), s.begin()
    batch = plain.at.batch
    own = {name: np.repeat(getattr(batch, name)[:1], 4, axis=0) for name in ("x", "target", "wanted")}
    turned = {
        name: np.concatenate([a[:1, ::-1][:, :1].repeat(a.shape[1], 1), a[1:]]) for name, a in own.items()
    }
    steps = (
        step._replace(at=step.at._replace(batch=batch._replace(**patterns)))  # type: ignore[arg-type]  # arrays
        for step, patterns in ((plain, own), (moved, turned))
    )
    one, other = (rows(s.updates(step).state, slice(1, 4)) for step in steps)
    _same(s, one, other, "where another replica is shown other patterns")


def saved_and_loaded(s: Subject) -> None:
    """Does it go on from a file as if it had not stopped?"""
    straight, stopped = s.updates(s.begin(), 4), s.updates(s.begin(), 2)
    file = BytesIO()
    np.savez(file, allow_pickle=False, **{f"a{i}": a for i, (_, a) in enumerate(leaves(stopped.state))})
    file.seek(0)
    with np.load(file, allow_pickle=False) as read:
        state = rebuilt(stopped.state, [read[f"a{i}"] for i in range(len(read.files))])
    _same(s, straight.state, s.updates(stopped._replace(state=state), 2).state, "after a stop")


def in_float32_alone_as_in_a_batch(s: Subject) -> None:
    """Has a replica the bits that it has alone, in float32?"""
    together, alone = (s.updates(s.begin(which, "float32")).state for which in (REPLICAS, [1]))
    _same(s, rows(together, slice(1, 2)), alone, "in a batch than alone, in float32")


def draws_do_not_depend_on_values(s: Subject) -> None:
    """Does every update draw as many random numbers as any other, whatever the weights?"""
    taken = []
    for replicas in ([0], [3]):
        step = s.begin(replicas)
        before = step.at.noise.taken
        s.updates(step, 3)
        taken.append(step.at.noise.taken - before)
    if taken[0] != taken[1]:
        raise Broken(
            f"three updates draw {taken[0]} random numbers in one replica and {taken[1]} in another, "
            f"but replicas are drawn for side by side ({place(s.rule)})"
        )


def shares_a_batch(s: Subject) -> None:
    """Has a replica the bits that it has alone where others of the batch have other numbers as settings?"""
    refused = []
    for name, value in numbers(s.rule):
        if not value:  # what is off takes another way than what is on
            continue
        others = [s.rule, with_rate(s.rule, tuple(name.split(".")), 0.9 * value)]
        ridden = riding(others, [name], np.array([0, 1, 0, 1]))
        try:
            step = s.updates(s.begin(rule=ridden), rule=ridden)
            late = s.updates(s.late(step), rule=ridden)
        except InputError as why:
            refused.append(f"{name} ({why})")
            continue
        for i, rule in enumerate((*others, *others)):
            alone = s.updates(s.begin([i], rule=rule), rule=rule)
            if unequal(rows(step.state, slice(i, i + 1)), alone.state):
                refused.append(f"{name} (other bits)")
                break
            alone = s.updates(s.late(alone), rule=rule)
            _same(
                s,
                rows(late.state, slice(i, i + 1)),
                alone.state,
                f"late in training, where {name} differs between the replicas of a batch",
            )
    if refused:
        raise Idle(f"cells that differ in these are run one by one: {', '.join(refused)}")


CHECKS: tuple[Callable[[Subject], None], ...] = (
    the_same_again,
    alone_as_in_a_batch,
    late_alone_as_in_a_batch,
    permuted,
    split,
    compacted,
    others_weights_do_not_matter,
    others_patterns_do_not_matter,
    saved_and_loaded,
    in_float32_alone_as_in_a_batch,
    draws_do_not_depend_on_values,
    shares_a_batch,
)
