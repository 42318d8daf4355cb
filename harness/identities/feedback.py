"""Rows on weights that blame comes back over: transposed, of one sign, direct, fixed."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import (
    DirectFeedbackAlignment,
    DirectRandomTargetProjection,
    FeedbackAlignment,
    ways_back,
)
from algorithms.sign_symmetry import SignSymmetry
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.network import Network
from harness.core.optimisers import GradientDescent

Sides = tuple[Any, Any]
SHALLOW = Network.chain(3, 4, 2)
SHORTCUT = Network.chain(3, 4, 3, 2, shortcut=True)
LINEAR = Network.chain(4, 4, 3, 2, hidden="linear", output="linear")
WIDE = Network.chain(5, 8, 3, hidden="linear", output="linear")
NUMBERS = Network.chain(3, 4, 3, 2, output="linear")


def hidden(p: Problem, credit: Any) -> Any:
    """The credit of what enters hidden groups."""
    return {
        k: g for k, g in credit.items() if k in p.net.hidden or getattr(k, "target", None) in p.net.hidden
    }


def transposed(p: Problem) -> dict[str, Any]:
    """B = Wᵀ of every way back."""
    return {e.name: p.params[e].mT for e in ways_back(p.net)}


def over_transposed(p: Problem) -> Sides:
    """Feedback alignment with B = Wᵀ, and backprop."""
    return p.credit(FeedbackAlignment(), transposed(p)), p.credit(Backprop())


def direct_with_one_hidden_group(p: Problem) -> Sides:
    """Direct and plain feedback alignment over the same B."""
    drawn = DirectFeedbackAlignment().remember(p.net, p.params, p.rand)
    over = {e.name: drawn[e.source.name] for e in ways_back(p.net)}
    return p.credit(DirectFeedbackAlignment(), drawn), p.credit(FeedbackAlignment(), over)


def direct_over_products(p: Problem) -> Sides:
    """Direct feedback alignment in a linear chain with B_l = (W_{l+1} … W_L)ᵀ, and backprop."""
    over, product = {}, None
    for edge in reversed(p.net.edges[1:]):
        w = p.params[edge].mT
        product = w if product is None else product @ w
        over[edge.source.name] = product
    return p.credit(DirectFeedbackAlignment(), over), p.credit(Backprop())


def target_projection(p: Problem) -> Sides:
    """Direct random target projection, and direct feedback alignment where the error is the target's bits."""
    bits = p.batch.wanted.astype(float)
    p = p._replace(batch=p.batch._replace(target=p.net.respond(p.params, p.batch.x) - bits))
    drawn = DirectFeedbackAlignment().remember(p.net, p.params, p.rand)
    rules = DirectRandomTargetProjection(), DirectFeedbackAlignment()
    return p.credit(rules[0], drawn), p.credit(rules[1], drawn)


def error_blind(p: Problem) -> Sides:
    """Hidden credit of target projection, and the same with other targets of the same bits."""
    rule = DirectRandomTargetProjection()
    other = p._replace(batch=p.batch._replace(target=0.5 * p.batch.target + 1.0))
    return hidden(p, p.credit(rule)), hidden(p, other.credit(rule))


def one_magnitude(p: Problem) -> Sides:
    """Sign symmetry where all weights are ±.7, and backprop."""
    p = p.moved({k: 0.7 * np.sign(w) for k, w in p.params.items()})
    return p.credit(SignSymmetry(scale=0.7)), p.credit(Backprop())


def own_magnitudes(p: Problem) -> Sides:
    """Sign symmetry whose frozen magnitudes are those of the weights, and backprop."""
    sizes = {e.name: np.abs(p.params[e]) for e in ways_back(p.net)}
    return p.credit(SignSymmetry(magnitude="frozen"), sizes), p.credit(Backprop())


def mean_over_feedback(p: Problem) -> Sides:
    """Hidden credit of feedback alignment, gradient added: without it the mean would be 0."""
    many, exact = p.many(5000), hidden(p, p.credit(Backprop()))
    drawn = hidden(p, many.credit(FeedbackAlignment()))
    return flat({k: g + exact[k] for k, g in drawn.items()}, 5000), flat(exact, 1)[0]


def flat(credit: Any, n: int) -> Any:
    """Credit of n replicas as rows (n, W), in the order of the keys."""
    return np.concatenate([np.reshape(g, (n, -1)) for g in credit.values()], axis=1)


def after_training(p: Problem) -> Sides:
    """Hidden credit of feedback alignment after 300 updates from small weights, and of backprop there."""
    rule = FeedbackAlignment(GradientDescent(0.05))
    state = p.moved({k: 0.1 * w for k, w in p.params.items()}).after(rule, 300)
    there = p.moved(state["params"])
    return hidden(p, there.credit(rule, state["memory"])), hidden(p, there.credit(Backprop()))


ROWS = (
    Identity(
        "feedback_over_transposed_weights",
        "exact",
        "feedback alignment over B = Wᵀ is backprop",
        "Lillicrap et al. 2016",
        over_transposed,
        nets=(CHAIN, SHORTCUT),
        within=0,
    ),
    Identity(
        "feedback_alignment_without_hidden_units",
        "exact",
        "feedback alignment is backprop where there are no hidden units",
        "algebra",
        lambda p: (p.credit(FeedbackAlignment()), p.credit(Backprop())),
        nets=(Network.chain(3, 2),),
        within=0,
    ),
    Identity(
        "direct_feedback_with_one_hidden_group",
        "exact",
        "direct feedback alignment is feedback alignment where there is one hidden group",
        "Nøkland 2016",
        direct_with_one_hidden_group,
        nets=(SHALLOW,),
        within=0,
    ),
    Identity(
        "direct_feedback_over_products",
        "exact",
        "in a linear chain direct feedback alignment over (W_{l+1} … W_L)ᵀ is backprop",
        "algebra",
        direct_over_products,
        nets=(LINEAR,),
    ),
    Identity(
        "target_projection_is_direct_feedback",
        "exact",
        "direct random target projection is direct feedback alignment where the error is the target's bits",
        "Frenkel et al. 2021",
        target_projection,
        nets=(NUMBERS,),
    ),
    Identity(
        "target_projection_sees_no_error",
        "exact",
        "hidden credit of target projection is the same whatever the error",
        "Frenkel et al. 2021",
        error_blind,
        within=0,
    ),
    Identity(
        "signs_of_weights_of_one_size",
        "exact",
        "sign symmetry is backprop where all weights are ±scale",
        "Liao et al. 2016",
        one_magnitude,
        within=0,
    ),
    Identity(
        "signs_with_the_weights_own_sizes",
        "exact",
        "sign symmetry over magnitudes |W| is backprop",
        "Liao et al. 2016",
        own_magnitudes,
        nets=(CHAIN, SHORTCUT),
        within=0,
    ),
    Identity(
        "sign_symmetry_points_downhill",
        "direction",
        "hidden credit of sign symmetry points the gradient's way at random weights",
        "Liao et al. 2016",
        lambda p: (hidden(p, p.credit(SignSymmetry())), hidden(p, p.credit(Backprop()))),
        statistic="cosine",
    ),
    Identity(
        "feedback_alignment_knows_nothing_at_first",
        "direction",
        "hidden credit of feedback alignment is 0 in the mean over B: added to the gradient, it leaves it",
        "algebra: E[B] = 0",
        mean_over_feedback,
        nets=(SHALLOW,),
    ),
    Identity(
        "feedback_alignment_comes_to_align",
        "direction",
        "after 300 updates from small weights hidden credit of feedback alignment points the gradient's way",
        "Lillicrap et al. 2016",
        after_training,
        nets=(WIDE,),
        statistic="cosine",
    ),
)
