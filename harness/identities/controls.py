"""Rows on the controls: a decision tree, features made by hand, and rules written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from algorithms.decision_tree import DecisionTree, question
from algorithms.hand_made import HandMade
from algorithms.rule_base import RuleBase
from harness.core.data import binary_inputs
from harness.core.features import feature
from harness.core.identity import Identity, Problem
from harness.core.network import Network
from harness.core.optimisers import GradientDescent

Sides = tuple[Any, Any]
LAYER, BITS = Network.chain(3, 2), Network.chain(5, 1)


@feature
def the_same(x: Any) -> Any:
    """The inputs as they are."""
    return x


def words(p: Problem) -> tuple[Any, Any]:
    """All words of as many bits as the network has inputs, and their parity."""
    x = binary_inputs(p.net.input_size)[None]
    return x, x.sum(axis=-1, keepdims=True) % 2 == 1


def no_gain(p: Problem) -> Sides:
    """The greatest gain at the root of parity, and 0."""
    x, wanted = words(p)
    around = {"x": x, "wanted": wanted.astype(float), "order": np.argsort(x, axis=-2, stable=True)}
    return question(np.ones_like(x[..., :1]), around)[0], np.zeros((1, 1, 1))


def every_word(p: Problem) -> Sides:
    """Nodes of the tree of parity, and of a tree with a leaf for every word."""
    x, wanted = words(p)
    shown = p._replace(batch=p.batch._replace(x=x, target=wanted.astype(float), wanted=wanted))
    return shown.after(DecisionTree())["params"]["count"], np.full((1, 1, 1), 2.0 * x.shape[-2] - 1.0)


def plain_inputs(p: Problem) -> Sides:
    """Steps of the read-out of inputs as they are, and of backprop without hidden units, both from zero."""
    zero, descent = p.moved({k: np.zeros_like(w) for k, w in p.params.items()}), GradientDescent(0.1, 0.5)
    named = {
        {"input-output": "features-output"}.get(k.name, k.name): w
        for k, w in zero.after(Backprop(descent), 5)["params"].items()
    }
    return zero.after(HandMade(descent, "the_same"), 5)["params"], named


def palindromes(p: Problem) -> Sides:
    """What follows from the rules of mirrored bits, and which words read the same backwards."""
    x, _ = words(p)
    answer = RuleBase("mirror").of_bits(x)["symmetric"][..., -1:]
    return answer, (x == x[..., ::-1]).all(axis=-1, keepdims=True).astype(float)


ROWS = (
    Identity(
        "no_bit_gains_at_the_root_of_parity",
        "exact",
        "at the root of parity the information gain of every bit is 0",
        "Quinlan 1986",
        no_gain,
        nets=(BITS,),
        within=0,
    ),
    Identity(
        "the_tree_of_parity_is_a_table",
        "exact",
        "of n bits the decision tree of parity has a leaf for every word: 2^(n+1) − 1 nodes",
        "Quinlan 1986",
        every_word,
        nets=(BITS,),
        within=0,
    ),
    Identity(
        "a_read_out_of_the_inputs",
        "exact",
        "the read-out of features that are the inputs is backprop without hidden units, from zero weights",
        "PDP vol. 1 ch. 8",
        plain_inputs,
        nets=(LAYER,),
    ),
    Identity(
        "rules_of_mirrored_bits",
        "exact",
        "what follows from five Horn rules on mirrored bits is whether a word reads the same backwards",
        "van Emden & Kowalski 1976",
        palindromes,
        nets=(BITS,),
        within=0,
    ),
)
