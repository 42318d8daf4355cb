"""Networks in time, by the kind of their hidden units: what carries something from one step to the next.

    sigmoid, tanh, relu    h_t = f(W x_t + U h_{t−1} + b)                           Elman 1990
    leaky                  h_t = (1 − κ) h_{t−1} + κ tanh(W x_t + U h_{t−1} + b)    Jaeger et al. 2007
    diagonal               h_t = tanh(W x_t + u ⊙ h_{t−1} + b)
    lstm                   c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t, h_t = o_t ⊙ tanh(c_t)   Gers et al. 2000
    state_space            s_t = a ⊙ s_{t−1} + W x_t, h_t = tanh(V s_t + b)         Orvieto et al. 2023

All are groups, edges and gates of a `Network`, so that every rule that goes through time goes through all of
them. The forget gate begins open: its initial biases are one higher (Gers, Schmidhuber & Cummins 2000,
Neural Computation 12:2451-2471; Jozefowicz, Zaremba & Sutskever 2015, ICML). `attending` is their rival
without time: one attention head over a window of steps that are all there at once.
"""

from __future__ import annotations

from harness.core.convolution import Convolution
from harness.core.edges import Edge, Group
from harness.core.errors import one_of, whole
from harness.core.gates import FastWeights, Gate
from harness.core.network import Network
from harness.core.paired import Paired

PLAIN = ("sigmoid", "tanh", "relu")
KINDS = (*PLAIN, "leaky", "diagonal", "lstm", "state_space")
OPEN = 1.0  # what the biases of a forget gate begin with, beside what the task draws
SLOW = (0.9, 0.999)  # between these a state-space layer's weights begin


def recurrent(
    inputs: int, hidden: int, outputs: int, kind: str = "tanh", output: str = "sigmoid", leak: float = 0.2
) -> Network:
    """A network in time with one layer of hidden units of some kind.

    Args:
        inputs: units that a step's pattern is clamped on.
        hidden: units, n; of lstm cells, of a state-space layer states and as many units that read them.
        outputs: output units.
        kind: one of `KINDS`.
        output: the kind of output unit.
        leak: κ of the kind leaky, above 0 and at most 1: the part of a unit that is new at each step.

    Returns:
        The network. What reaches the outputs leaves the group called hidden.

    Raises:
        InputError: for another kind.

    >>> recurrent(1, 3, 1).size, recurrent(1, 3, 1, "lstm").size
    (19, 64)
    >>> [g.name for g in recurrent(1, 3, 1, "state_space").groups]
    ['input', 'state', 'hidden', 'output']
    """
    one_of("hidden units", kind, KINDS)
    x, y = Group("input", inputs, "linear", bias=False), Group("output", outputs, output)
    if kind in PLAIN or kind == "diagonal":
        h = Group("hidden", hidden, kind if kind in PLAIN else "tanh")
        again = Edge(h, h, delay=1) if kind in PLAIN else Paired(h, h, delay=1)
        return Network((x, h, y), (Edge(x, h), again, Edge(h, y)))
    h = Group("hidden", hidden, "linear", bias=False)
    if kind == "leaky":
        drive = Group("drive", hidden, "tanh")
        gates = (Gate(drive, h, leak), Gate(h, h, 1.0 - leak, delay=1))
        return Network((x, drive, h, y), (Edge(x, drive), Edge(h, drive, delay=1), Edge(h, y)), gates=gates)
    if kind == "state_space":
        s, h = Group("state", hidden, "linear", bias=False), Group("hidden", hidden, "tanh")
        return Network((x, s, h, y), (Edge(x, s), Paired(s, s, delay=1, start=SLOW), Edge(s, h), Edge(h, y)))
    into, forget, out = (
        Group(name, hidden, start=start) for name, start in (("in", 0.0), ("forget", OPEN), ("out", 0.0))
    )
    new, cell = Group("new", hidden, "tanh"), Group("cell", hidden, "linear", bias=False)
    squashed = Group("squashed", hidden, "tanh", bias=False)
    heard = (into, forget, out, new)
    edges = (*(Edge(x, g) for g in heard), *(Edge(h, g, delay=1) for g in heard), Edge(h, y))
    whole = Gate(cell, squashed, 1.0)
    lstm = (Gate(new, cell, into), Gate(cell, cell, forget, delay=1), whole, Gate(squashed, h, out))
    return Network((x, *heard, cell, squashed, h, y), edges, gates=lstm)


def attending(slots: int, features: int, hidden: int, outputs: int, output: str = "sigmoid") -> Network:
    """One attention head over a window of steps: a query from the last, keys and values from all of them.

        a = softmax(K q + c), h = tanh(V Σ_i a_i v_i + W x_last + b)

    Vaswani et al. 2017, arXiv:1706.03762, eq. 1, without its scale.
    Keys and values of all steps have the same weights, and biases of their own for each of their channels;
    where a step stands in the window is said by weights of the scores' biases. It has no time: a pattern is
    the whole window, its steps one after the other, and once more the last of them.

    Args:
        slots: steps of the window, W.
        features: inputs of a step.
        hidden: units of query, keys, values and of the layer behind them.
        outputs, output: output units, and their kind.

    Returns:
        The network, of (W + 1) · features inputs.

    >>> attending(4, 2, 3, 1).input_size
    10
    """
    whole("steps of a window", slots, 1)
    early = Group("early", (1, slots, features), "linear", bias=False)
    last = Group("last", features, "linear", bias=False)
    query = Group("query", hidden, "linear", bias=False)
    keys, values = (Group(name, (1, slots, hidden), "linear") for name in ("keys", "values"))
    scores, mixed = Group("scores", slots, "softmax"), Group("mixed", hidden, "linear", bias=False)
    h, y = Group("hidden", hidden, "tanh"), Group("output", outputs, output)
    edges = (
        Edge(last, query),
        Convolution(early, keys, kernel=(1, 1)),
        Convolution(early, values, kernel=(1, 1)),
        Edge(mixed, h),
        Edge(last, h),
        Edge(h, y),
    )
    gates = (FastWeights(query, scores, keys, turned=True), FastWeights(scores, mixed, values))
    return Network((early, last, query, keys, values, scores, mixed, h, y), edges, gates=gates)
