"""An identity: a rule that is another rule under a condition, tends to it, or points its way.

    exact        A = B                          to a bound that is said; 0: the same bits
    limit        ‖A(h) − B‖ / ‖B‖ ∝ h^p         the slope of its logarithm against that of h is p
    direction    E[A] = B, A·B > 0 or A ~ F     a statistic whose false-alarm rate is said

An identity is a declaration: its two sides are functions of a small `Problem`, and `harness.identities`
measures them. A rule of one's own declares its identities as the class attribute `identities`, and the check
kit holds it to them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from harness.core.algorithm import Algorithm, Batch, CreditAlgorithm, State
from harness.core.data import Usual
from harness.core.edges import Edge
from harness.core.errors import InputError, one_of
from harness.core.losses import Loss, SquaredError
from harness.core.network import Key, Network, Params
from harness.core.rand import NOISE, Rand

Array = Any
KINDS = ("exact", "limit", "direction")
STATISTICS = ("mean", "cosine", "distribution")
CHAIN = Network.chain(3, 4, 3, 2)
USUAL = Usual(lr=0.1, momentum=0.0, scale=0.5, epochs=100)
"""What settings that are left to the task are where there is none."""


class Problem(NamedTuple):
    """A small network with random weights and patterns: what both sides of an identity are asked on.

    Args:
        net: the network.
        params: weights (R, rows, columns) by edge, biases (R, 1, channels) by group, R replicas.
        batch: its patterns, shared by all replicas: (1, N, units).
        seed: of weights, patterns and the rules' random numbers.

    >>> p = Problem.of(Network.chain(2, 3, 1), seed=0)
    >>> p.batch.x.shape, p.many(10).params[p.net.edges[0]].shape
    ((1, 5, 2), (10, 2, 3))
    """

    net: Network
    params: dict[Key, Array]
    batch: Batch
    seed: int

    @classmethod
    def of(cls, net: Network, seed: int, patterns: int = 5, loss: Loss | None = None) -> Self:
        """Weights so small that no unit saturates, inputs in ±1, targets in [0, 1].

        Args:
            net: the network.
            seed: of all that is drawn.
            patterns: how many, N; in a network in time as many sequences of 4 steps.
            loss: what is lowered; None is the squared error.

        Returns:
            A problem with one replica.
        """
        rng = np.random.default_rng(seed)
        params = {}
        for key, shape in net.shapes.items():
            fan_in = key.fans[0] if isinstance(key, Edge) else 1
            params[key] = rng.uniform(-1.5, 1.5, (1, *shape)) / math.sqrt(1 + fan_in)
        lead = (1, 4, patterns) if net.timed else (1, patterns)
        x = rng.uniform(-1.0, 1.0, (*lead, net.input_size))
        target = rng.uniform(0.0, 1.0, (*lead, net.output.size))
        shown = Batch(x, target, target > 0.5, np.zeros(()), loss or SquaredError(), net.timed)
        return cls(net, params, shown, seed)

    @property
    def rand(self) -> Rand:
        """Random numbers of the rule, from their beginning: whoever asks gets the same ones."""
        return Rand(self.seed, range(self.replicas), NOISE)

    @property
    def replicas(self) -> int:
        """How many networks stand side by side, R."""
        return len(next(iter(self.params.values())))

    def many(self, n: int) -> Self:
        """The same weights and patterns for n replicas, each with random numbers of its own.

        Args:
            n: how many.

        Returns:
            A problem with n replicas.
        """
        return self._replace(params={k: np.repeat(w[:1], n, axis=0) for k, w in self.params.items()})

    def credit(self, rule: CreditAlgorithm, memory: State | None = None) -> Mapping[Key, Array]:
        """The credit that a rule gives.

        Args:
            rule: any that says one.
            memory: what it remembers; None for what it draws.

        Returns:
            Its estimate of ∂E/∂w (R, rows, columns) by parameter.
        """
        rand = self.rand
        kept = rule.remember(self.net, self.params, rand)
        return rule.credit(self.net, self.params, kept if memory is None else memory, self.batch, rand)[0]

    def after(self, rule: Algorithm, updates: int = 1, start: State | None = None) -> State:
        """Where a rule stands after some updates on all patterns.

        Args:
            rule: any; settings that it leaves to the task are `USUAL`.
            updates: how many.
            start: the state it goes on from; None for what it makes of the weights.

        Returns:
            Its state, with the weights at "params".
        """
        rule, rand = rule.resolved(USUAL), self.rand
        state = rule.init(self.net, self.params, rand)
        state = state if start is None else start
        for epoch in range(updates):
            batch = self.batch._replace(epoch=np.asarray(float(epoch)))
            state = rule.update(self.net, state, batch, rand).state
        return state

    def moved(self, params: Params) -> Self:
        """The same patterns at other weights.

        Args:
            params: those that are others, by parameter.

        Returns:
            A problem.
        """
        return self._replace(params={**self.params, **params})


@dataclass(frozen=True, repr=False)
class Identity:
    """A rule that is another under a condition, tends to it, or points its way: declared, to be measured.

    Args:
        name: in snake_case, unlike any other's.
        kind: exact, limit or direction.
        statement: what is the case, in a line, the condition included.
        source: who says so: paper and equation, or the algebra.
        sides: of a `Problem`, and of a limit its parameter, the two sides: arrays, or containers of arrays of
            the same names and shapes. Of a direction: draws (n, …) and their mean (…) for `mean`; two vectors
            (…) for `cosine`; draws (n,) and their distribution function for `distribution`.
        nets: the networks it is measured on.
        within: of an exact one, the largest distance in units of the largest number of B; 0: the same bits.
        parameter, at, power: of a limit, what the parameter is called, at least three values of it in the
            order that leads to the limit, and the power that the error falls with.
        statistic: of a direction.
        needs: a module that has to be installed to measure it.
        slow: whether it takes more than a second or two.

    Raises:
        InputError: for a kind or a statistic that is none, and a limit without its values.

    >>> from algorithms.backprop import Backprop
    >>> from algorithms.shallow import Shallow
    >>> Identity(
    ...     "shallow_without_hidden_units",
    ...     "exact",
    ...     "shallow is backprop where there are no hidden units",
    ...     "algebra",
    ...     lambda p: (p.credit(Shallow()), p.credit(Backprop())),
    ...     nets=(Network.chain(3, 2),),
    ...     within=0,
    ... ).kind
    'exact'
    """

    name: str
    kind: str
    statement: str
    source: str
    sides: Callable[..., tuple[Any, Any]]
    nets: tuple[Network, ...] = (CHAIN,)
    within: float = 1e-12
    """In units of the largest number of B; 0: the same bits."""
    parameter: str = "h"
    at: tuple[float, ...] = ()
    """Values of the parameter, in the order that leads to the limit."""
    power: float = 1.0
    """That the relative error falls with."""
    statistic: str = "mean"
    needs: str = ""
    """A module that has to be installed."""
    slow: bool = False

    def __repr__(self) -> str:
        return f"Identity({self.name!r})"

    def __post_init__(self) -> None:
        one_of("kind of identity", self.kind, KINDS)
        one_of("statistic of an identity", self.statistic, STATISTICS)
        if (self.kind == "limit") != (len(self.at) >= 3):
            raise InputError(
                f"a limit, and no other kind, has at least three values of its parameter, "
                f"but {self.name} ({self.kind}) has {len(self.at)}"
            )
