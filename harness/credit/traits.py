"""Traits are tested, not believed: alter one thing, hold everything else, see whether the update moves.

What `Network` and `Batch` hand out is replaced while one update runs again on the same random numbers. How,
and what that cannot see (claims, and so tests, are of an algorithm's default settings):

transports_weights
    A weight that activity meets later is altered in `params`, and forward passes take the alteration back:
    every activity is what it was. A change further upstream that moves all the same has read it on the way
    back. Where units settle, what comes back moves the activity itself: it is read there if activity moves
    with the way up held, and stays with the way back held as well. Where activities are not the network's
    (Boltzmann machines), nothing can be held: then a weight gets two faces, as it stands and transposed, and
    carries both ways if either face alone moves what is upstream. Other readings give no answer.
local
    Δw_ij may know y_i, y_j, w_ij, its noise, what is broadcast, and blame that was sent to unit j. So with
    all activities held it may follow no other weight (backprop does: its blame comes over other units'
    synapses), nor, with all that flows held, what is *read* as the activity of a third unit in the same group
    or below. Units above may send it what they like over feedback connections: a message cannot be told from
    a peep. Not altered: outputs (their errors may be broadcast), memory, other weights into the same unit,
    groups at the ends of tied edges (what they share carries what one is told to the other), what is not read
    off `Network.forward`, and third units through time, where those of the same group are above a step later.
    Not tested: units that settle or are the rule's own, but for single layers.
needs_derivative
    All slope functions are replaced. A slope written out by hand, as y (1 − y), is not seen: "no" is "does
    not ask the network", and where the units are the rule's own there is no answer.
phases
    Passes through the busiest group, parallel ones (leading axes) one by one; 0 if a larger network takes
    more. Patterns of one's own are one pass, draws side by side with the patterns too; a `tangent` is none.
    No answer of settling.
global_scalar
    Targets change places among the outputs while every loss stays what it was: does the update stay? Or do,
    for one pattern, changes under all targets lie on one line (one number that is not the loss, such as a
    slope of it)? A number for each pattern counts as one: patterns are trials of their own.
locked, settling (not declared)
    Weights further on are altered and nothing held: an upstream change that moves had to wait for them.
    Iterations of `harness.core.loops.repeat`; blocks of trials are among them.

Controls: if altering a weight leaves all new weights the same bits, it is not in use (a population
elsewhere); if the output moves although it is held, it is not; weights too small for targets to matter are
made larger. None is no answer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from harness.core import registry
from harness.core.algorithm import Algorithm, Traits
from harness.core.task import Task
from harness.credit.altered import MOVED, Count, Faces, Held, Trial, name_of
from harness.tasks.recall import Recall

Array = Any


class Finding(NamedTuple):
    """What an intervention showed; None: it could not be made."""

    value: bool | int | None
    why: str


@dataclass(frozen=True)
class Observed:
    """What was observed of each trait, of update locking and of settling."""

    needs_derivative: Finding
    transports_weights: Finding
    local: Finding
    phases: Finding
    global_scalar: Finding
    locked: Finding
    settling: Finding


TASKS = Count(), Count(hidden=(4,)), Recall(units=8, stored=3)
ELSEWHERE = Finding(None, "not testable: the update does not use the weights it is handed")
NOT_HELD = Finding(None, "not testable: its activities are not the network's, and cannot be held")
TIED = Finding(
    None, "not testable: what edges share carries what the units at the ends of one do to the other"
)
SINGLE = Finding(None, "not testable: no weight that learns lies upstream of another")


def transport(trial: Trial) -> tuple[Finding, Finding]:
    """Weight transport, and update locking."""
    carried, locked = SINGLE, SINGLE
    for edge in trial.edges:
        if not (where := trial.upstream(edge)):
            continue
        (new, shift), w = trial.altered(edge), trial.params[edge]
        if trial.unused(plain := trial.run(new)):
            return ELSEWHERE, ELSEWHERE
        if carried is SINGLE:
            carried, locked = (
                Finding(False, f"no change {end}")
                for end in ("follows a weight further on", "waits for another")
            )
        if not trial.moves(plain, where):
            continue
        locked = Finding(True, f"changes upstream of {name_of(edge)} wait for what comes after it")
        if not trial.base.passes:
            faces = [Faces(new[edge], w, Counter()), Faces(w, new[edge], Counter())]
            both = all(any(t.moves(t.run({edge: each}), where) for t in trial.again()) for each in faces)
            return Finding(
                True, f"the weights of {name_of(edge)} carry both ways"
            ) if both else NOT_HELD, locked
        held = trial.run(new, shift=shift)
        if trial.escaped(held):
            still = trial.run(new, shift=shift, both_ways=True)
            if trial.escaped(still) or trial.moves(still, trial.everything):
                return NOT_HELD, locked
            return Finding(
                True, f"with the way up held, activity itself follows the weights of {name_of(edge)} back"
            ), locked
        if trial.moves(held, where):
            return Finding(
                True, f"with all activities held, changes upstream follow the weights of {name_of(edge)}"
            ), locked
    return carried, locked


def locality(trial: Trial) -> Finding:
    """Whether changes follow other weights or third units."""
    if not trial.base.passes and len(trial.edges) == 1:
        return _outputs_apart(trial)
    if trial.base.loops["all"] > 1 or not trial.base.passes:
        return NOT_HELD
    if found := _follows_weights(trial) or _follows_third_units(trial):
        return found
    if _ends_of_ties(trial):
        return TIED
    return Finding(True, "changes follow no other weight with all activities held, and no third unit")


def _outputs_apart(trial: Trial) -> Finding:
    """Of a single layer whose activities are its own: whether the weights of one output move the others'."""
    new, _ = trial.altered(trial.edges[0])
    if trial.moves(trial.run(new), _but_the_first_unit(trial)):
        return Finding(False, "what one output does moves the weights into the others")
    return Finding(True, "what one output does leaves the weights into the others")


def _but_the_first_unit(trial: Trial) -> dict[Any, Array]:
    """Which weights lead into another unit than the first of their group, whose weights are altered."""
    return {key: np.indices(w.shape[-2:])[1] > 0 for key, w in trial.params.items()}


def _follows_weights(trial: Trial) -> Finding | None:
    """With all activities held, whether changes follow a weight that is not their own; None if not."""
    others = _but_the_first_unit(trial)
    for edge in trial.edges:
        new, shift = trial.altered(edge)
        if trial.unused(trial.run(new)):
            return ELSEWHERE
        held = trial.run(new, shift=shift)
        if trial.escaped(held):
            return NOT_HELD
        if trial.moves(held, trial.everything | {edge: others[edge]}):
            return Finding(
                False, f"with all activities held, other changes follow the weights of {edge.name}"
            )
    return None


def _follows_third_units(trial: Trial) -> Finding | None:
    """Whether changes follow the activity of a unit at neither end of the weight; None if they do not, or in
    time."""
    if trial.steps:
        return None
    groups, tied = trial.net.groups, _ends_of_ties(trial)
    for at, group in enumerate(groups[:-1]):
        if group in tied:
            continue
        below = {g.name for g in groups[:at]}  # it may have sent them a message
        where = {
            key: trial.untouched(key, group) for key in trial.net.shapes if not trial.leads_into(key) & below
        }
        if trial.moves(trial.run(read=group), where):
            return Finding(
                False, f"changes follow the activity of a unit of {group.name} that is at neither end"
            )
    return None


def _ends_of_ties(trial: Trial) -> set[Any]:
    """Groups at the ends of edges that share weights: what these carry, one is told and the other is too."""
    tied = [e for e in trial.net.edges if e.weights != e]
    return {group for e in tied for way in (e, e.weights) for group in (way.source, way.target)}


def derivative(trial: Trial) -> Finding:
    """Whether other slopes make another update."""
    if trial.moves(trial.run(slopes=True), trial.everything):
        return Finding(True, "other slopes, another update")
    return Finding(False, "other slopes, the same update") if trial.base.passes else NOT_HELD


def passes(trial: Trial) -> int:
    """Forward passes of an update; 0 if none can be seen."""
    uses = Counter[str]()
    trial.run(
        {
            e: Faces(trial.params[e], trial.params[e], uses, name_of(e))
            for e in trial.edges
            if not trial.base.passes
        }
    )
    return max((trial.base.passes or uses).values(), default=0) // max(1, trial.steps)


def scalar(trial: Trial) -> Finding:
    """Whether one number for the whole network is all that the update takes of its targets."""
    if not trial.moves(trial.run(batch=trial.batch._replace(**trial.roll)), trial.everything):
        return Finding(None, "not testable: other targets, the same update")
    loss: Any = Held(trial.batch.loss)
    held = trial.batch._replace(**trial.roll, loss=loss)
    if not trial.moves(trial.run(batch=held), trial.everything):
        return Finding(True, "other targets and the same loss, the same update")
    one = trial.batch._replace(x=trial.batch.x[..., :1, :])
    each = (np.broadcast_to(d, (*one.x.shape[:-1], len(d))) for d in np.eye(trial.net.output.size))
    taught = [one._replace(target=d, wanted=d > 0.5) for d in each]
    changes = np.stack(
        [np.concatenate([c.ravel() for c in trial.run(batch=each).change.values()]) for each in taught]
    )
    size = np.linalg.svd(changes - changes[0], compute_uv=False)
    if size[1] <= MOVED * size[0]:
        return Finding(True, "for one pattern, changes under all targets lie on one line")
    return Finding(False, "other targets and the same loss, another update, and not along one line")


def observe(algorithm: Algorithm, task: Task | None = None) -> Observed:
    """What interventions show of an algorithm, on a task with more than one output (None: `Count`, deep if it
    can, or else patterns that are their own targets).
    """
    task = task or next((t for t in TASKS if not algorithm.refusal(t)), Count())
    if reason := algorithm.refusal(task):
        return Observed(*[Finding(None, f"not testable: {reason}")] * len(fields(Observed)))
    trial = Trial(algorithm, task)
    n = passes(trial)
    larger = Count(hidden=tuple(g.size + 1 for g in trial.net.hidden))
    more = passes(Trial(algorithm, larger)) if larger.hidden else n
    phases = Finding(n if n == more else 0, f"{n} forward passes, {more} of a larger network")
    if not n or trial.base.loops["settled"]:
        phases = Finding(
            None, "not testable: its units settle, or are its own, and what is a pass is a matter of words"
        )
    settling = Finding(trial.base.loops["all"], "iterations of repeat")
    carried, locked = transport(trial)
    return Observed(derivative(trial), carried, locality(trial), phases, scalar(trial), locked, settling)


def contradictions(algorithm: Algorithm) -> list[str]:
    """A sentence for each declared trait that is not what was observed."""
    observed, sentences = observe(algorithm), []
    for trait in (f.name for f in fields(Traits)):
        declared, (value, why) = getattr(algorithm.traits, trait), getattr(observed, trait)
        if value is not None and value != declared:
            sentences.append(f"{algorithm.name} declares {trait}={declared}, but {value} was observed: {why}")
    return sentences


def traits_table() -> list[list[str]]:
    """A head and a row for every algorithm: each trait as declared and as observed (–: no answer)."""

    def mark(value: bool | int | None) -> str:
        return (
            {None: "–", True: "✓", False: "✗"}[value]
            if value is None or isinstance(value, bool)
            else str(value or "∝ W")
        )

    rows = [
        [
            "algorithm",
            "slope",
            "weight transport",
            "local",
            "forward passes",
            "one scalar",
            "update locking",
            "settling steps",
        ]
    ]
    for name, algorithm in registry.algorithms().items():
        observed = observe(algorithm())
        both = [
            f"{mark(getattr(algorithm.traits, f.name))} {mark(getattr(observed, f.name).value)}"
            for f in fields(Observed)[:5]
        ]
        rows.append([name, *both, mark(observed.locked.value), str(observed.settling.value or 0)])
    return rows
