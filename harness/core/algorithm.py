"""What a learning algorithm is: three methods and some settings, written for one network.

Its settings become Hydra options. `update` is a pure function in NumPy; nothing handed in is written to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from harness.core.batch import Batch, Credit, Update, added
from harness.core.errors import InputError
from harness.core.fit import misfit
from harness.core.kernels import total
from harness.core.losses import Loss
from harness.core.naming import snake_case
from harness.core.network import Key, Network, Params
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
    """What an algorithm needs from its network, as its paper claims it; `python -m harness.credit` tests it.

    Args:
        needs_derivative: it uses the slope of the activation function.
        transports_weights: it uses forward weights on the way back.
        local: a weight changes by what its own two units, and signals broadcast to all, carry.
        phases: forward passes of the network that one update needs (0: it depends on the network's size).
        global_scalar: one number for the whole network is all the feedback there is.

    >>> Traits(True, True, local=False, phases=1, global_scalar=False).phases
    1
    """

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


@dataclass(frozen=True)
class Algorithm:
    """A learning algorithm: how weights change. Subclasses define `update`.

    A subclass is a frozen dataclass; its fields are its settings (`setting`). It is written for one network,
    with `@`, `.mT` and sums over the last two axes; leading axes are replicas, and come for free. A rule that
    only says what gradient each weight gets is a `CreditAlgorithm` instead.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Nothing(Algorithm):
    ...     def update(self, net, state, batch, rand):
    ...         return Update(state, None)
    >>> Nothing().name
    'nothing'
    """

    traits: ClassVar[Traits]
    paper: ClassVar[str] = ""
    """The source of its equations, in one line."""
    equations: ClassVar[str] = ""
    """What it does, in one line of its paper's symbols."""
    oracle: ClassVar[str] = ""
    """What its tests hold it to, in one line: something that is not its own code."""
    promise: ClassVar[str] = ""
    """What its credit is of the loss's gradient: 'exact'; 'limit' where many draws or small steps come to it;
    'direction' where it lies within 90° of it at the start; '' for no promise. `harness.checks` tests it."""
    objective: ClassVar[str] = ""
    """What `own_gradient` is the exact gradient of, in words; '' where that is the task's loss."""
    through_time: ClassVar[bool] = False
    """Whether it can train networks that live in time."""
    online: ClassVar[bool] = False
    """Presented with one pattern at a time unless the user says otherwise."""
    whole: ClassVar[bool] = False
    """Presented with all patterns at once unless the user says otherwise, whatever is usual for a task."""
    name: ClassVar[str] = "algorithm"
    """Its name in commands and records: the class's own in snake_case."""

    def __init_subclass__(cls) -> None:
        cls.name = snake_case(cls.__name__)

    def __post_init__(self) -> None:
        check(self)

    def applies_to(self, task: Any) -> str | None:
        """Whether this algorithm can do a task.

        Args:
            task: a `Task`.

        Returns:
            Why it cannot, in one sentence; None if it can.
        """
        return None

    def refusal(self, task: Any) -> str | None:
        """What `applies_to` says, or that the task goes on in time and this algorithm does not.

        Args:
            task: a `Task`.

        Returns:
            Why it cannot do the task, in one sentence; None if it can.

        Raises:
            InputError: for a task whose network does not fit it: one of the two has time, the other none.
        """
        return misfit(task, self.through_time) or self.applies_to(task)

    def resolved(self, usual: Any) -> Algorithm:
        """This algorithm with every setting that was left to the task (None) filled in.

        Args:
            usual: `Task.usual`, what the task is usually run with.

        Returns:
            An algorithm without such a None.
        """
        return self

    def held(self, net: Network) -> int:
        """Numbers that it holds at once for one network, at the least: what is refused if there is no room.

        Args:
            net: the network.

        Returns:
            The number of weights, unless the algorithm knows better.
        """
        return net.size

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        """Everything that persists between updates.

        Args:
            net: the network.
            params: the initial weights, which all algorithms on a network share.
            rand: the algorithm's own random numbers.

        Returns:
            A state: nested containers of arrays, with the weights at "params".
        """
        return {"params": dict(params)}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        """One weight update: a pure function of its arguments.

        Args:
            net: the network.
            state: what `init` or the update before returned; it is not written to.
            batch: what this update sees.
            rand: the algorithm's own random numbers.

        Returns:
            The new state, and the batch's outputs at the old one if they were computed.
        """
        raise InputError(f"{type(self).__name__} does not define update")

    def predict(self, net: Network, state: State, x: Array) -> Array:
        """Activity of the output group.

        Args:
            net: the network.
            state: as of `update`.
            x: patterns (…, N, input size), or sequences (…, T, N, input size).

        Returns:
            Outputs (…, N, outputs), or (…, T, N, outputs).
        """
        return net.respond(state["params"], x)

    def told(self, state: State) -> Mapping[str, Array]:
        """What it has to say of itself at the end of training, for the record: phases that did not settle, ….

        Args:
            state: as of `update`.

        Returns:
            One number for each network (R, …) by name: columns beside its outcome.
        """
        return {}

    def own_gradient(self, net: Network, state: State, batch: Batch) -> Mapping[str, Array] | None:
        """The exact gradient of the `objective`, where that is not the task's loss: what credit is held to.

        Args:
            net: the network.
            state: as of `update`.
            batch: the patterns it is of.

        Returns:
            The gradient (…, rows, columns) by name; None of too large a network, or where it is the loss's.
        """
        return None


@dataclass(frozen=True)
class CreditAlgorithm(Algorithm):
    """An algorithm that only says what gradient estimate every weight gets; any optimiser takes the step.

    Args:
        optimiser: what the weights do with their credit; its settings at None are the task's usual ones.

    >>> from harness.core.exact_gradient import exact_gradient
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Backprop(CreditAlgorithm):
    ...     def credit(self, net, params, memory, batch, rand):
    ...         return exact_gradient(net, params, batch)
    >>> Backprop(GradientDescent(lr=0.5)).optimiser.lr
    0.5
    """

    optimiser: Optimiser = setting(None, "What the weights do with their credit.", factory=GradientDescent)

    def resolved(self, usual: Any) -> Algorithm:
        missing = {n: getattr(usual, n) for n in self.optimiser.uses if getattr(self.optimiser, n) is None}
        return replace(self, optimiser=replace(self.optimiser, **missing))

    def remember(self, net: Network, params: Params, rand: Rand) -> State:
        """What the algorithm keeps besides the weights (feedback matrices, …), drawn once.

        Args:
            net: the network.
            params: the initial weights (…, rows, columns) by edge, biases by group.
            rand: the algorithm's own random numbers.

        Returns:
            Its memory: nested containers of arrays.
        """
        return {}

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        """The credit of every weight that learns; weights left out stay as they are, weight decay included.

        Args:
            net: the network.
            params: the weights (…, rows, columns) by edge, biases (…, 1, channels) by group.
            memory: what `remember` returned.
            batch: what this update sees.
            rand: the algorithm's own random numbers.

        Returns:
            The estimate of ∂E/∂w, and the batch's outputs if they were computed.
        """
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
