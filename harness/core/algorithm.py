"""What a learning algorithm is: three methods and some settings, written for one network.

An algorithm is a frozen dataclass; its fields are its settings and become its Hydra options. It never
sees the replica axis: with `@`, `.mT` and reductions over the last two axes the same lines run for a
thousand networks. `update` is a pure function in plain NumPy; nothing handed in is written to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from harness.core.data import Data
from harness.core.errors import InputError
from harness.core.kernels import total
from harness.core.losses import Loss, SquaredError
from harness.core.naming import snake_case
from harness.core.network import Group, Key, Network, Params
from harness.core.optimisers import GradientDescent, Optimiser
from harness.core.rand import Rand
from harness.core.setting import check, setting

Array = Any
State = dict[str, Any]  # nested containers of arrays; "params" holds the weights

__all__ = [
    "Algorithm",
    "Array",
    "Batch",
    "Credit",
    "CreditAlgorithm",
    "Key",
    "Loss",
    "Network",
    "Params",
    "Rand",
    "State",
    "Traits",
    "Update",
    "added",
    "total",
]


@dataclass(frozen=True)
class Traits:
    """What an algorithm needs from its network, as its paper claims it."""

    needs_derivative: bool
    """Uses the slope of the activation function."""
    transports_weights: bool
    """Uses forward weights on the way back."""
    local: bool
    """A weight changes by what its own two units (and signals broadcast to all) carry."""
    phases: int
    """Forward passes of the network that one update needs (0: it depends on the network's size)."""
    global_scalar: bool
    """One number for the whole network is all the feedback there is."""


class Batch(NamedTuple):
    """What one update sees: N patterns, or where the network lives
    in time N sequences of T steps, (…, T, N, …).
    """

    x: Array
    """Patterns (…, N, input size)."""
    target: Array
    """Target activity of the output group (…, N, outputs)."""
    wanted: Array
    """Which outputs should be on, bool (…, N, outputs)."""
    epoch: Array
    """The sweep this update belongs to, from 0."""
    loss: Loss = SquaredError()
    time: bool = False
    """Whether the axis before the patterns is time."""

    @classmethod
    def of(cls, data: Data, epoch: Array, loss: Loss) -> Batch:
        """All of some `data` as an update sees it."""
        return cls(*data[:3], epoch, loss, data.time)

    @property
    def patterns(self) -> int:
        """How many patterns an update goes through: N, or N · T."""
        return self.x.shape[-2] * (self.x.shape[-3] if self.time else 1)

    def error(self, y: Array) -> Array:
        """∂E/∂y of the output activities y (…, N, outputs)."""
        return self.loss.error(y, self.target, self.wanted)

    def cost(self, y: Array) -> Array:
        """E of the output activities y, one number for each network, shape (…)."""
        each = self.loss.of(y, self.target, self.wanted)
        return each.sum(axis=-1) if self.time else each

    def delta(self, net: Network, y: Mapping[Group, Array]) -> Array:
        """∂E/∂x of the output group (…, N, outputs) at the activities `y`."""
        return self.loss.delta(net.output.activation, y[net.output], self.target, self.wanted)

    def at(self, t: int) -> Batch:
        """Step t of its sequences, as a batch of patterns."""
        x, target, wanted = (a[..., t, :, :] for a in (self.x, self.target, self.wanted))
        return self._replace(x=x, target=target, wanted=wanted, time=False)

    def crowd(self) -> Batch:
        """The same for many networks side by side:
        an axis of length 1 where each replica has its individuals.
        """
        own = (slice(None),) * (3 if self.time else 2)
        x, target, wanted = (a[(..., None, *own)] for a in (self.x, self.target, self.wanted))
        return self._replace(x=x, target=target, wanted=wanted)


def added(a: Mapping[Key, Array], b: Mapping[Key, Array]) -> dict[Key, Array]:
    """The credit of two parts of a network: summed where they share weights."""
    return {**a, **{key: a[key] + each if key in a else each for key, each in b.items()}}


class Update(NamedTuple):
    """A new state and, where the update made them, the predictions for its batch at the *old* state."""

    state: State
    output: Array | None


class Credit(NamedTuple):
    """The estimate of ∂E/∂w for each weight and, where it was computed, the output for the batch."""

    gradient: Mapping[Key, Array]
    output: Array | None


@dataclass(frozen=True)
class Algorithm:
    """A learning algorithm. Subclasses define `update`, and override the rest where they differ."""

    traits: ClassVar[Traits]
    paper: ClassVar[str] = ""
    """The source of its equations, in one line."""
    equations: ClassVar[str] = ""
    """What it does, in one line of its paper's symbols."""
    oracle: ClassVar[str] = ""
    """What its tests hold it to, in one line: something that is not its own code."""
    objective: ClassVar[str] = ""
    """What `own_gradient` is the exact gradient of, in words; '' where that is the task's loss."""
    through_time: ClassVar[bool] = False
    """Whether it can train networks that live in time."""
    online: ClassVar[bool] = False
    """Presented with one pattern at a time unless the user says otherwise."""
    name: ClassVar[str] = "algorithm"
    """Its name in commands and records: the class's own in snake_case."""

    def __init_subclass__(cls) -> None:
        cls.name = snake_case(cls.__name__)

    def __post_init__(self) -> None:
        check(self)

    def applies_to(self, task: Any) -> str | None:
        """Why this algorithm cannot do `task`, in one sentence; None if it can."""
        return None

    def refusal(self, task: Any) -> str | None:
        """What `applies_to` says, or that `task` goes on in time
        and this algorithm does not; None if it can do it.

        Raises `InputError` for a task whose network does not fit it: one of the two has time, and the other
        none.
        """
        steps, net = task.spec().steps, task.network()
        if late := [e.name for e in net.edges if e.delay and not steps]:
            raise InputError(
                f"patterns of {task.name} have no time steps, but edge {late[0]!r} of its network is delayed"
            )
        if steps and not net.timed:
            raise InputError(
                f"sequences of {task.name} have {steps} time steps, but no edge of its network is delayed"
            )
        if steps and not self.through_time:
            return (
                f"it has no way through time, and {task.name} gives sequences "
                f"of {steps} steps to a network with delayed edges"
            )
        return self.applies_to(task)

    def resolved(self, usual: Any) -> Algorithm:
        """This algorithm with every setting that was left to the task (None) filled in."""
        return self

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        """Everything that persists between updates; `params` are the initial weights all algorithms share."""
        return {"params": dict(params)}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        """One weight update: a pure function of its arguments."""
        raise InputError(f"{type(self).__name__} does not define update")

    def predict(self, net: Network, state: State, x: Array) -> Array:
        """Activity of the output group (…, N, outputs) for patterns x (…, N, input size)."""
        return net.respond(state["params"], x)

    def own_gradient(self, net: Network, state: State, batch: Batch) -> Mapping[str, Array] | None:
        """The exact gradient of the `objective`,
        by parameter name as in state['params']: what the credit is compared with.

        None: there is none to be had for a network of this size, or what the algorithm descends is the task's
        loss.
        """
        return None


@dataclass(frozen=True)
class CreditAlgorithm(Algorithm):
    """An algorithm that only says what gradient estimate every weight gets; any optimiser takes the step."""

    optimiser: Optimiser = setting(None, "What the weights do with their credit.", factory=GradientDescent)

    def resolved(self, usual: Any) -> Algorithm:
        missing = {n: getattr(usual, n) for n in self.optimiser.uses if getattr(self.optimiser, n) is None}
        return replace(self, optimiser=replace(self.optimiser, **missing))

    def remember(self, net: Network, params: Params, rand: Rand) -> State:
        """What the algorithm keeps besides the weights (feedback matrices, …), drawn once."""
        return {}

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        """The credit of every weight that learns; weights left out stay as they are."""
        raise InputError(f"{type(self).__name__} does not define credit")

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        return {
            "params": dict(params),
            "memory": self.remember(net, params, rand),
            "optimiser": self.optimiser.init(params),
        }

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        gradient, output = self.credit(net, state["params"], state["memory"], batch, rand)
        params, optimiser = self.optimiser.step(state["params"], gradient, state["optimiser"], batch.epoch)
        return Update({"params": params, "memory": state["memory"], "optimiser": optimiser}, output)
