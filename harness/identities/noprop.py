"""Rows on NoProp: what a block learns, what it does not hear, and the way its predictions go."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from algorithms.noprop import Noprop, block, read_out
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.losses import CrossEntropy
from harness.core.network import Network

Array = Any
Sides = tuple[Any, Any]
SHALLOW = Network.chain(3, 4, 2)
RULE = Noprop(blocks=3, offset=0.1)
LI = "Li, Teh & Pascanu 2025"


def labelled(p: Problem) -> tuple[Array, Array]:
    """Labels u (1, N, K) of the patterns, and the same with noise, z (1, T + 1, N, K)."""
    u = (np.arange(p.net.output.size) == p.batch.target.argmax(axis=-1)[..., None]).astype(float)
    return u, RULE.noised(u, p.rand.normal(RULE.blocks + 1, *u.shape[-2:]))


def begun(p: Problem) -> dict[Any, Array]:
    """The weights of all blocks, and of the read-out."""
    return dict(RULE.init(p.net, p.params, p.rand)["params"])


def each_alone(p: Problem) -> Sides:
    """Credit of the blocks one by one, and of each as a network alone, by η (SNR(t) − SNR(t−1))."""
    (u, z), params, own = labelled(p), begun(p), block(p.net)
    found = RULE.credit(p.net, params, p.batch, u, z)
    kept, sides = RULE.schedule()[0], (dict[Any, Array](), dict[Any, Array]())
    for t in range(RULE.blocks):
        gain = RULE.eta * (kept[t + 1] / (1 - kept[t + 1]) - kept[t] / (1 - kept[t]))
        seen = np.concatenate([p.batch.x, z[:, t]], axis=-1)
        batch = p.batch._replace(x=seen, target=u, wanted=u > 0)
        credit = Problem(own, {k: params[k][:, t] for k in own.shapes}, batch, p.seed).credit(Backprop())
        for k, g in credit.items():
            sides[0][f"{k.name} {t}"], sides[1][f"{k.name} {t}"] = found[k][:, t], gain * g
    return sides


def blind_to_other_blocks(p: Problem) -> Sides:
    """Credit of the second block, and the same where the weights of all others are others."""
    (u, z), params = labelled(p), begun(p)
    others = {
        k: np.where(np.arange(RULE.blocks)[:, None, None] == 1, w, -2.0 * w) if w.ndim == 4 else w - 2.0
        for k, w in params.items()
    }
    sides = [RULE.credit(p.net, each, p.batch, u, z) for each in (params, others)]
    first, second = ({k: g[:, 1] for k, g in each.items() if g.ndim == 4} for each in sides)
    return first, second


def last_softmax(p: Problem) -> Sides:
    """Credit of the read-out, and backprop in a softmax with cross-entropy that hears z_T."""
    (u, z), params, read = labelled(p), begun(p), read_out(p.net)
    found = RULE.credit(p.net, params, p.batch, u, z)
    batch = p.batch._replace(x=z[:, -1], target=u, wanted=u > 0, loss=CrossEntropy())
    alone = Problem(read, {k: params[k] for k in read.shapes}, batch, p.seed)
    return {k: found[k] for k in read.shapes}, alone.credit(Backprop())


def marginals(p: Problem) -> Sides:
    """Mean, in units of u, and variance of z_t after a block that knows u, and those of q(z_t | y)."""
    kept, (a, b, c) = RULE.schedule(), RULE.steps()
    before, after = kept[:, :-1], kept[:, 1:]
    mean, variance = a + b * np.sqrt(before), b**2 * (1.0 - before) + c
    return {"mean": mean, "variance": variance}, {"mean": np.sqrt(after), "variance": 1.0 - after}


ROWS = (
    Identity(
        "noprop_blocks_are_backprop_alone",
        "exact",
        "a block of NoProp is backprop of squared error in its own network, by η (SNR(t) − SNR(t−1))",
        f"{LI}, eq. 8",
        each_alone,
        nets=(CHAIN, SHALLOW),
    ),
    Identity(
        "noprop_blocks_hear_no_other",
        "exact",
        "the credit of a block of NoProp is the same whatever the weights of all other blocks",
        LI,
        blind_to_other_blocks,
        nets=(CHAIN, SHALLOW),
        within=0,
    ),
    Identity(
        "noprop_reads_out_by_softmax",
        "exact",
        "NoProp's read-out learns by backprop of cross-entropy from the last noised label",
        LI,
        last_softmax,
        nets=(CHAIN, SHALLOW),
    ),
    Identity(
        "noprop_keeps_the_marginals",
        "exact",
        "blocks that know the label bring q(z_{t−1} | y) to q(z_t | y), in mean and in variance",
        f"algebra; {LI}",
        marginals,
        nets=(SHALLOW,),
    ),
)
