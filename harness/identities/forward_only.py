"""Rows on rules without a way back: modulated inputs, local losses, signals that go forward."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import DirectFeedbackAlignment
from algorithms.local_losses import LocalLosses, MonoForward, head, head_bias
from algorithms.pepita import Pepita
from algorithms.shallow import Shallow
from algorithms.signal_propagation import SignalPropagation, signal
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.losses import CrossEntropy
from harness.core.network import Edge, Group, Network

Array = Any
Sides = tuple[Any, Any]
SHALLOW = Network.chain(3, 4, 2)
DEEP = Network.chain(3, 4, 3, 4, 2)
NUMBERS = Network.chain(3, 4, 3, 2, hidden="tanh", output="linear")
DELLAFERRERA = "Dellaferrera & Kreiman 2022"
NOKLAND = "Nøkland & Eidnes 2019"
GONG = "Gong, Li & Abdulla 2025"
KOHAN = "Kohan, Rietman & Siegelmann 2023"


def first(p: Problem, credit: Any) -> Any:
    """The credit of what enters the first hidden group."""
    group = p.net.hidden[0]
    return {k: g for k, g in credit.items() if group in (k, getattr(k, "target", None))}


def of_hidden(p: Problem, credit: Any) -> Any:
    """The credit of what enters hidden groups."""
    return {
        k: g for k, g in credit.items() if k in p.net.hidden or getattr(k, "target", None) in p.net.hidden
    }


def into_output(p: Problem, credit: Any) -> Any:
    """The credit of what enters the output."""
    return {k: g for k, g in credit.items() if p.net.output in (k, getattr(k, "target", None))}


def small_modulation(p: Problem, size: float) -> Sides:
    """First hidden credit of PEPITA over F, in units of F's size, and direct feedback over F W_1."""
    drawn = Pepita().remember(p.net, p.params, p.rand)["F"]
    edge = p.net.into(p.net.hidden[0])[0]
    over = {g.name: np.zeros((1, p.net.output.size, g.size)) for g in p.net.hidden}
    over[edge.target.name] = drawn @ p.params[edge]
    found = first(p, p.credit(Pepita(), {"F": size * drawn}))
    expected = first(p, p.credit(DirectFeedbackAlignment(), over))
    return {k: g / size for k, g in found.items()}, expected


def no_modulation(p: Problem) -> Sides:
    """PEPITA with F = 0, and shallow beside nothing for hidden weights."""
    nothing = {"F": np.zeros((1, p.net.output.size, p.net.input_size))}
    found, shallow = p.credit(Pepita(), nothing), p.credit(Shallow())
    return found, {k: shallow.get(k, np.zeros_like(g)) for k, g in found.items()}


def begun(p: Problem, rule: Any) -> Any:
    """The weights with the rule's own among them."""
    return rule.init(p.net, p.params, p.rand)["params"]


def given(p: Problem, rule: Any) -> Any:
    """The credit of a rule that has parameters of its own."""
    return p.moved(begun(p, rule)).credit(rule)


def head_alone(group: Group, inputs: int, outputs: int, unit: str) -> Network:
    """A hidden group with what it hears and its head, as a network of one hidden layer."""
    return Network.chain(inputs, group.size, outputs, hidden=group.activation, output=unit)


def each_alone(p: Problem, rule: Any) -> Sides:
    """Credit of hidden groups and their heads, and backprop in each one-layer network with its head."""
    params, found = begun(p, rule), given(p, rule)
    y, expected = p.net.forward(p.params, p.batch.x), dict[Any, Array]()
    for group in (g for g in p.net.hidden if head(g) in params):
        (edge,) = p.net.into(group)
        alone = head_alone(group, edge.source.size, p.net.output.size, p.net.output.activation)
        below, above = alone.edges
        names: dict[Any, Any] = {
            below: edge,
            alone.hidden[0]: group,
            above: head(group),
            alone.output: head_bias(group),
        }
        weights = {k: params[n] for k, n in names.items() if n in params}
        there: dict[Any, Array] = {alone.output: np.zeros((1, 1, alone.output.size)), **weights}
        credit = Problem(alone, there, p.batch._replace(x=y[edge.source]), p.seed).credit(Backprop())
        expected |= {names[k]: credit[k] for k in weights}
    return {k: found[k] for k in expected}, expected


def one_projection(p: Problem) -> Sides:
    """Mono-Forward with one hidden layer, and backprop."""
    return given(p, MonoForward()), p.credit(Backprop())


def last_output(p: Problem, rule: Any) -> Sides:
    """What a rule credits the output's weights with, and shallow."""
    return into_output(p, given(p, rule)), p.credit(Shallow())


def shares_of_both(p: Problem) -> Sides:
    """predsim, and (1 − β) pred + β sim over the same heads."""
    both = LocalLosses(beta=0.3)
    there = p.moved(begun(p, both))
    pred, sim = (of_hidden(p, there.credit(LocalLosses(loss=word))) for word in ("pred", "sim"))
    return of_hidden(p, there.credit(both)), {k: 0.7 * g + 0.3 * sim[k] for k, g in pred.items()}


def blind_to_what_is_above(p: Problem, rule: Any) -> Sides:
    """First hidden credit, and the same where all weights above are others."""
    params = begun(p, rule)
    edge = p.net.into(p.net.hidden[0])[0]
    above: dict[Any, Array] = {
        k: -2.0 * w
        for k, w in params.items()
        if k in p.params and k not in (edge, edge.target) and isinstance(k, Edge)
    }
    there = p.moved(params)
    return first(p, there.credit(rule)), first(p, there.moved(above).credit(rule))


def toward_signals(p: Problem) -> Sides:
    """First hidden credit of signal propagation, of S too, and backprop over a softmax head of signals."""
    labels = np.arange(p.net.output.size) == p.batch.target.argmax(axis=-1)[..., None]
    p = p._replace(batch=p.batch._replace(wanted=labels, target=labels.astype(float)))
    (edge,) = p.net.into(group := p.net.hidden[0])
    params = begun(p, SignalPropagation())
    t = p.net.activity(group, params[signal(group)])
    alone = head_alone(group, edge.source.size, labels.shape[-1], "softmax")
    below, above = alone.edges
    weights: dict[Any, Array] = {below: params[edge], alone.hidden[0]: params[group], above: t.mT}
    batch = p.batch._replace(loss=CrossEntropy())
    credit = Problem(alone, {**weights, alone.output: np.zeros((1, 1, labels.shape[-1]))}, batch, p.seed)
    expected = credit.credit(Backprop())
    found = given(p, SignalPropagation())
    of_signals = p.net.pull(group, {group: t}, expected[above].mT)
    sides = {edge: expected[below], group: expected[alone.hidden[0]], signal(group): of_signals}
    return {k: found[k] for k in sides}, sides


ROWS = (
    Identity(
        "small_modulations_are_direct_feedback",
        "limit",
        "PEPITA in the first hidden layer, in units of |F|, tends to direct feedback alignment over F W_1",
        f"{DELLAFERRERA}; algebra",
        small_modulation,
        nets=(CHAIN, SHALLOW),
        parameter="|F|",
        at=(1e-2, 1e-3, 1e-4),
    ),
    Identity(
        "no_modulation_is_shallow",
        "exact",
        "PEPITA over F = 0 is shallow: no hidden weight gets credit",
        DELLAFERRERA,
        no_modulation,
        nets=(CHAIN, SHALLOW),
        within=0,
    ),
    Identity(
        "local_predictions_are_one_layer_backprop",
        "exact",
        "local losses of predictions are backprop in each one-layer network with its head",
        NOKLAND,
        lambda p: each_alone(p, LocalLosses(loss="pred")),
        nets=(CHAIN, DEEP, NUMBERS),
    ),
    Identity(
        "local_losses_add_up",
        "exact",
        "predsim is (1 − β) pred + β sim over the same heads",
        NOKLAND,
        shares_of_both,
    ),
    Identity(
        "local_losses_hear_nothing_from_above",
        "exact",
        "first hidden credit of local losses is the same whatever the weights above",
        NOKLAND,
        lambda p: blind_to_what_is_above(p, LocalLosses()),
        within=0,
    ),
    Identity(
        "local_losses_have_shallows_output",
        "exact",
        "local losses credit the output's weights as shallow does",
        NOKLAND,
        lambda p: last_output(p, LocalLosses()),
        within=0,
    ),
    Identity(
        "mono_forward_with_one_hidden_layer",
        "exact",
        "Mono-Forward is backprop where there is one hidden layer",
        "algebra",
        one_projection,
        nets=(SHALLOW, Network.chain(3, 4, 2, output="linear")),
        within=0,
    ),
    Identity(
        "mono_forward_is_one_layer_backprop",
        "exact",
        "Mono-Forward is backprop in each one-layer network with its projection",
        GONG,
        lambda p: each_alone(p, MonoForward()),
        nets=(CHAIN, DEEP, NUMBERS),
    ),
    Identity(
        "signals_are_a_softmax_head",
        "exact",
        "signal propagation in the first hidden layer is backprop over a softmax head of its signals",
        f"{KOHAN}; algebra",
        toward_signals,
        nets=(CHAIN, SHALLOW),
    ),
    Identity(
        "signals_hear_nothing_from_above",
        "exact",
        "first hidden credit of signal propagation is the same whatever the weights above",
        KOHAN,
        lambda p: blind_to_what_is_above(p, SignalPropagation()),
        within=0,
    ),
    Identity(
        "signal_propagation_has_shallows_output",
        "exact",
        "signal propagation credits the output's weights as shallow does",
        "algebra",
        lambda p: last_output(p, SignalPropagation()),
        within=0,
    ),
)
