"""A decision tree grown by information gain: a control without units, weights or credit.

    H(S) = − Σ_c p_c log₂ p_c                                          c: the classes of the patterns S
    gain(S, i, θ) = H(S) − |S≤|/|S| H(S≤) − |S>|/|S| H(S>)             S≤: those whose input i is at most θ

Every node asks the question of the greatest gain, until its patterns are of one class or look all alike.
Quinlan's ID3 (1986) asks for the value of an attribute: of bits it is the same question, with θ = ½. Of
numbers θ lies halfway between two neighbouring values of the training patterns, all of them tried, as in his
C4.5 (1993). Nothing is pruned.

One tree answers for all outputs. Where every pattern has exactly one output on, these are the classes, and it
is ID3's. Otherwise outputs are bits, and H is the sum of their entropies (Blockeel, De Raedt & Ramon 1998),
which with one output is ID3's again. An output is the share of a leaf's patterns that have it on.

A greedy tree needs a tie-break: at the root of parity the gain of every bit is exactly 0, and it has to ask
all the same. Of equal gains, up to rounding, the first input wins, and of its thresholds the lowest; so
nothing is left to chance, and replicas differ by nothing but their patterns.

An update grows a tree from its root to its end, on the patterns of its batch: all of them, unless a run says
otherwise. So it is final after one epoch, and further ones grow the same tree again; of mini-batches it is
that of the last. Its price is in the record: nodes and depth.

Quinlan 1986, Induction of decision trees, Machine Learning 1:81-106; 1993, C4.5: programs for machine
learning; Blockeel, De Raedt & Ramon 1998, Top-down induction of clustering trees, ICML:55-63.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from harness.core.algorithm import Algorithm, Array, Batch, Network, Params, Rand, State, Traits, Update
from harness.core.loops import repeat, settle
from harness.core.setting import setting

INPUT, THRESHOLD, CHILD, OPEN, DEPTH = range(5)
"""Columns of a node: what it asks, its first child (0: none; the second is the next one), whether it waits to
be opened, and its distance from the root."""
TIE = 100  # units of precision, a pattern: gains this close are equal


@dataclass(frozen=True)
class DecisionTree(Algorithm):
    """ID3: a tree of questions about single inputs, each of the greatest information gain."""

    nodes: int = setting(511, "Nodes of a tree, at the most.", at_least=1, at_most=10**6)

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=False, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Quinlan 1986, Machine Learning 1:81-106; thresholds as in C4.5, 1993"
    equations: ClassVar[str] = "ask the input i of max H(S) − Σ_v p(x_i = v) H(S_v), H = −Σ p log₂ p"
    oracle: ClassVar[str] = (
        "no gain at parity's root, all 2^(n+1) − 1 nodes of it; gains by enumeration; scikit-learn's trees"
    )
    whole: ClassVar[bool] = True

    def applies_to(self, task: Any) -> str | None:
        if task.spec().kind == "numbers":
            return f"its leaves hold shares of classes, but the targets of {task.name} are numbers"
        if not task.meets(0.0, 1.0):
            return f"its leaves say 0 or 1, which never meet the criterion {task.criterion!r} of {task.name}"
        return None

    def held(self, net: Network) -> int:
        return self.nodes * (DEPTH + 1 + net.output.size)

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        tests = rand.zeros(self.nodes, DEPTH + 1)
        tests[..., 0, OPEN] = 1.0
        shares = rand.zeros(self.nodes, net.output.size) + tests.dtype.type(0.5)
        return {"params": {"nodes": tests, "shares": shares, "count": rand.zeros(1, 1) + tests.dtype.type(1)}}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        x, wanted = batch.x, batch.wanted.astype(batch.x.dtype)
        lead, blank = x.shape[:-2], np.zeros_like(x[..., :1, :1])  # 1 where all networks share their patterns
        first = (np.arange(self.nodes) == 0)[:, None] & (np.arange(DEPTH + 1) == OPEN)
        begun = {
            "nodes": blank + first.astype(x.dtype),
            "shares": blank + wanted.mean(axis=-2, keepdims=True) + np.zeros((self.nodes, 1), x.dtype),
            "count": blank + 1.0,
            "at": np.zeros_like(x, shape=(*lead, x.shape[-2], 1)),
        }
        around = {"x": x, "wanted": wanted, "order": np.argsort(x, axis=-2, stable=True)}
        most = min(self.nodes, 2 * x.shape[-2])  # a node a step: N leaves are of 2 N − 1 nodes
        grown = settle(most, self.opened, begun, around, 0.5).state
        every = {name: np.zeros_like(a) for name, a in state["params"].items()}
        return Update({"params": {name: grown[name] + every[name] for name in every}}, None)

    def opened(self, tree: dict[str, Array], around: dict[str, Array]) -> dict[str, Array]:
        """The tree with the first node that waits opened, or closed for good if nothing tells its patterns
        apart; `at` says in which node (…, N, 1) each pattern is."""
        nodes, shares, count, at = (tree[name] for name in ("nodes", "shares", "count", "at"))
        x, wanted = around["x"], around["wanted"]
        number = np.arange(self.nodes, dtype=x.dtype)[:, None]
        waits = np.where(nodes[..., OPEN : OPEN + 1] > 0, number, self.nodes)
        node = waits.min(axis=-2, keepdims=True)
        here = (at == node).astype(x.dtype)
        gain, asked, threshold = question(here, around)
        splits = (gain >= 0) & (count + 2 <= self.nodes)
        heard = np.take_along_axis(x, place(asked + np.zeros_like(at), x.shape[-1]), axis=-1)
        child = count + (heard > threshold)
        mine, depth = number == node, deep(nodes, number, node)
        row = np.concatenate([asked, threshold, count, np.zeros_like(count), depth], axis=-1)
        shut = np.concatenate([np.zeros_like(row[..., :DEPTH]), depth], axis=-1)
        nodes = np.where(mine, np.where(splits, row, shut), nodes)
        for side in (0, 1):
            inside = here * (child == count + side)
            size = np.maximum(inside.sum(axis=-2, keepdims=True), 1.0)
            share = (inside * wanted).sum(axis=-2, keepdims=True) / size
            mixed = ((share > 0) & (share < 1)).any(axis=-1, keepdims=True).astype(x.dtype)
            fresh = np.concatenate([np.zeros_like(row[..., :OPEN]), mixed, depth + 1.0], axis=-1)
            born = splits & (number == count + side)
            nodes, shares = np.where(born, fresh, nodes), np.where(born, share, shares)
        return {
            "nodes": nodes,
            "shares": shares,
            "count": count + 2.0 * splits.astype(x.dtype),
            "at": np.where(splits & (here > 0), child, at),
        }

    def leaf(self, nodes: Array, x: Array) -> Array:
        """The leaf (…, N, 1) that each pattern (…, N, inputs) comes to from the root."""
        lead = np.broadcast_shapes(nodes.shape[:-2], x.shape[:-2])

        def down(at: Array, around: tuple[Array, Array]) -> Array:
            nodes, x = around
            asks = np.take_along_axis(nodes, place(at, self.nodes), axis=-2)
            asked, threshold, child = (asks[..., i : i + 1] for i in (INPUT, THRESHOLD, CHILD))
            heard = np.take_along_axis(x, place(asked, x.shape[-1]), axis=-1)
            return np.where((child > 0) & (child < self.nodes), child + (heard > threshold), at)

        at = np.zeros_like(nodes, shape=(*lead, x.shape[-2], 1))
        return settle(self.nodes // 2 + 1, down, at, (nodes, x), 0.5).state

    def predict(self, net: Network, state: State, x: Array) -> Array:
        tree = state["params"]
        leaf = self.leaf(tree["nodes"], x)
        return np.take_along_axis(tree["shares"], place(leaf, self.nodes), axis=-2)

    def told(self, state: State) -> Mapping[str, Array]:
        tree = state["params"]
        return {"nodes": tree["count"][..., 0, 0], "depth": tree["nodes"][..., DEPTH].max(axis=-1)}


def question(here: Array, around: dict[str, Array]) -> tuple[Array, Array, Array]:
    """The greatest gain for patterns that are `here` (…, N, 1), 1 or 0, times their number, and the input and
    threshold that have it, each (…, 1, 1); a gain of −1 where every input is the same for all of them."""
    x, wanted, order = around["x"], around["wanted"], around["order"]
    one_each = (wanted.sum(axis=-1, keepdims=True) == 1).all(axis=-2, keepdims=True)
    whole = here.sum(axis=-2, keepdims=True)
    on = (here * wanted).sum(axis=-2, keepdims=True)
    tie = TIE * np.finfo(x.dtype).eps * x.shape[-2]
    number = np.arange(x.shape[-2], dtype=x.dtype)[:, None]

    def ask(i: Array, best: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        rows = order.mT[..., i, :, None]
        value = np.take_along_axis(x[..., i, None], rows, axis=-2)
        low, high = value, np.roll(value, -1, axis=-2)  # after the last comes the first: no cut
        sorted_here = np.take_along_axis(here, rows, axis=-2)
        below = np.cumsum(sorted_here, axis=-2)
        on_below = np.cumsum(sorted_here * np.take_along_axis(wanted, rows, axis=-2), axis=-2)
        left = disorder(below, on_below, one_each) + disorder(whole - below, on - on_below, one_each)
        parts = (low < high) & (below > 0) & (below < whole)
        gain = np.where(parts, np.maximum(disorder(whole, on, one_each) - left, 0.0), -1.0)
        most = gain.max(axis=-2, keepdims=True)
        first = np.where(gain >= most - tie, number, number.size).min(axis=-2, keepdims=True)
        threshold = (np.where(number == first, 0.5 * (low + high), 0.0)).sum(axis=-2, keepdims=True)
        better = most > best[0] + tie
        new = (most, i + np.zeros_like(most), threshold)
        return tuple(np.where(better, a, b).astype(x.dtype) for a, b in zip(new, best, strict=True))

    none = np.zeros_like(whole)
    return repeat(x.shape[-1], ask, (none - 1.0, none, none))


def disorder(size: Array, on: Array, one_each: Array) -> Array:
    """|S| H(S) in bits, of sets of `size` (…, k, 1) patterns of which so many have each output `on` (…, k,
    outputs): that of classes, or the sum of all outputs'."""
    classes = counted(size) - counted(on).sum(axis=-1, keepdims=True)
    bits = (counted(size) - counted(on) - counted(size - on)).sum(axis=-1, keepdims=True)
    return np.where(one_each, classes, bits)


def counted(n: Array) -> Array:
    """n log₂ n, and 0 of 0."""
    return n * np.log2(np.maximum(n, 1.0))


def place(number: Array, size: int) -> Array:
    """Whole numbers below `size` as indices; what is none, in a tree that is not finite, is the first."""
    return np.where((number >= 0) & (number < size), number, 0.0).astype(np.intp)


def deep(nodes: Array, number: Array, node: Array) -> Array:
    """The depth (…, 1, 1) of one node."""
    return np.where(number == node, nodes[..., DEPTH : DEPTH + 1], 0.0).sum(axis=-2, keepdims=True)
