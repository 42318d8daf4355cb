"""What a credit algorithm's weights do with their credit: the step, not the blame.

An optimiser is a pair of pure functions: `init` makes its memory for the parameters, `step` turns
(parameters, credit, memory) into new ones. Parameters without credit stay untouched, decay included.
Settings left at None are the task's usual ones (`Task.usual`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from harness.core.errors import InputError
from harness.core.network import Key
from harness.core.readings import reading
from harness.core.riding import Riding
from harness.core.setting import check, setting

Array = Any
Weights = Mapping[Key, Array]
Memory = dict[str, Any]


@dataclass(frozen=True)
class Optimiser:
    """Base of all optimisers: a learning rate, and two pure functions that make steps of credit.

    Args:
        lr: learning rate; None is the task's usual one.

    >>> GradientDescent(lr=0.5).uses
    ('lr', 'momentum', 'decay')
    """

    lr: float | None = setting(
        None, "Learning rate ε; None is the task's usual one.", above=0, rate=True, search=(3e-4, 30)
    )

    uses: ClassVar[tuple[str, ...]] = ("lr",)
    """Settings that a task's usual ones fill in where they are None."""

    def __post_init__(self) -> None:
        check(self)

    def init(self, params: Weights) -> Memory:
        """Memory at the start.

        Args:
            params: weights (…, rows, columns) by parameter.

        Returns:
            Containers of arrays shaped like the parameters.
        """
        raise InputError(f"{type(self).__name__} does not say how its memory starts")

    def step(self, params: Weights, credit: Weights, memory: Memory, epoch: Array) -> tuple[Weights, Memory]:
        """One update of the weights.

        Args:
            params: weights (…, rows, columns) by parameter.
            credit: ∂E/∂w for those that learn; the others stay untouched, decay included.
            memory: what `init` or the step before returned.
            epoch: the sweep, from 0.

        Returns:
            New weights and new memory.
        """
        raise InputError(f"{type(self).__name__} does not say how it steps")


@dataclass(frozen=True)
class GradientDescent(Optimiser):
    """Gradient descent with momentum, Δw(t) = −ε ∂E/∂w(t) + α Δw(t−1)
    (Rumelhart, Hinton & Williams 1986, eq. 9).

    Nature 323:533-536. Two additions of its family-tree recipe: `decay` shrinks every weight after each
    change, and the first sweeps may have a rate and a momentum of their own. Without momentum, at α = 0, it
    keeps no last change.

    Args:
        lr: ε; None is the task's usual one.
        momentum: α, from 0 to below 1; None is the task's usual one.
        decay: fraction by which every weight shrinks after each change; None is the task's usual one.
        early_sweeps: sweeps during which the early rate and momentum hold.
        early_lr, early_momentum: ε and α in these sweeps.

    Raises:
        InputError: for early settings of which one is missing, and numbers out of range.

    >>> import numpy as np
    >>> rule, w = GradientDescent(lr=0.5, momentum=0.0, decay=0.0), {"w": np.ones((1, 1))}
    >>> float(rule.step(w, {"w": np.ones((1, 1))}, rule.init(w), epoch=0)[0]["w"][0, 0])
    0.5
    """

    momentum: float | None = setting(
        None, "Momentum α; None is the task's usual one.", at_least=0, below=1, search=(0, 0.95)
    )
    decay: float | None = setting(
        None,
        "Fraction by which every weight shrinks after each change; None is the task's usual one.",
        at_least=0,
        below=1,
    )
    early_sweeps: int = setting(0, "Sweeps during which the early rate and momentum hold.", at_least=0)
    early_lr: float | None = setting(
        None, "Learning rate ε in these sweeps; None where there are none.", above=0
    )
    early_momentum: float | None = setting(
        None, "Momentum α in these sweeps; None where there are none.", at_least=0, below=1
    )

    uses: ClassVar[tuple[str, ...]] = ("lr", "momentum", "decay")

    def __post_init__(self) -> None:
        super().__post_init__()
        early = (self.early_lr is not None, self.early_momentum is not None)
        if early != (self.early_sweeps > 0,) * 2:
            raise InputError(
                f"early_sweeps, early_lr and early_momentum go together, but {self.early_sweeps}, "
                f"{self.early_lr} and {self.early_momentum} were given: set all three or none"
            )

    def init(self, params: Weights) -> Memory:
        return {} if self._still else {"velocity": {k: np.zeros_like(w) for k, w in params.items()}}

    @property
    def _still(self) -> bool:
        """Whether nothing ever has momentum; where replicas differ in it, something has."""
        return isinstance(self.momentum, float | int) and not (self.momentum or self.early_momentum)

    def _rates(self, epoch: Array) -> tuple[Array, Array]:
        late: tuple[Array, Array] = (self.lr, self.momentum)
        early: tuple[Array, Array] = (self.early_lr, self.early_momentum)
        if not self.early_sweeps:
            return late
        is_early = epoch < self.early_sweeps
        return np.where(is_early, early[0], late[0]), np.where(is_early, early[1], late[1])

    def step(self, params: Weights, credit: Weights, memory: Memory, epoch: Array) -> tuple[Weights, Memory]:
        lr, momentum = self._rates(epoch)
        read, params, velocity = reading(), dict(params), dict(memory.get("velocity", {}))
        for k, g in credit.items():
            if self._still:
                params[k] = read.lessen(params[k], g, _like(lr, g))
            else:
                params[k], velocity[k] = read.descend(
                    params[k], velocity[k], g, _like(lr, g), _like(momentum, g)
                )
            if self.decay:
                params[k] = (1.0 - self.decay) * params[k]
        return params, memory if self._still else {"velocity": velocity}


@dataclass(frozen=True)
class Adam(Optimiser):
    """Adam (Kingma & Ba 2015, algorithm 1): the mean of the credit over the root of the mean of its square.

    Both means without the bias of their start. Adam: a method for stochastic optimization, ICLR.

    Args:
        lr: step size α; None is the task's usual learning rate.
        beta1, beta2: decay of the mean of the credit, and of the mean of its square, per update.
        epsilon: added to the root of that mean, so that nothing is divided by 0.

    >>> import numpy as np
    >>> rule, w = Adam(lr=0.1), {"w": np.zeros((1, 1))}
    >>> round(float(rule.step(w, {"w": np.full((1, 1), 7.0)}, rule.init(w), epoch=0)[0]["w"][0, 0]), 6)
    -0.1
    """

    lr: float | None = setting(
        0.001, "Step size α; None is the task's usual learning rate.", above=0, rate=True, search=(1e-4, 1)
    )
    beta1: float = setting(0.9, "Decay β₁ of the mean of the credit, per update.", at_least=0, below=1)
    beta2: float = setting(0.999, "Decay β₂ of the mean of its square, per update.", at_least=0, below=1)
    epsilon: float = setting(
        1e-8, "Added to the root of that mean, so that nothing is divided by 0.", above=0
    )

    def init(self, params: Weights) -> Memory:
        zeros = {k: np.zeros_like(w) for k, w in params.items()}
        steps = {k: np.zeros_like(w[..., :1, :1]) for k, w in params.items()}
        return {"first": zeros, "second": dict(zeros), "steps": steps}

    def step(self, params: Weights, credit: Weights, memory: Memory, epoch: Array) -> tuple[Weights, Memory]:
        params = dict(params)
        first, second, steps = dict(memory["first"]), dict(memory["second"]), dict(memory["steps"])
        for k, g in credit.items():
            t = steps[k] = steps[k] + 1.0
            first[k] = self.beta1 * first[k] + (1.0 - self.beta1) * g
            second[k] = self.beta2 * second[k] + (1.0 - self.beta2) * (g * g)
            unbiased = first[k] / (1.0 - self.beta1**t)
            scale = np.sqrt(second[k] / (1.0 - self.beta2**t))
            params[k] = params[k] - self.lr * unbiased / (scale + self.epsilon)
        return params, {"first": first, "second": second, "steps": steps}


@dataclass(frozen=True)
class SignStep(Optimiser):
    """A fixed step against the sign of the credit, Δw = −ε sign(∂E/∂w)
    (Manhattan rule, Peterson & Hartman 1989).

    Neural Networks 2:475-494.

    Args:
        lr: ε, the size of every step; None is the task's usual learning rate.

    >>> import numpy as np
    >>> rule, w = SignStep(lr=0.25), {"w": np.zeros((1, 1))}
    >>> float(rule.step(w, {"w": np.full((1, 1), 7.0)}, {}, epoch=0)[0]["w"][0, 0])
    -0.25
    """

    lr: float | None = setting(
        0.01,
        "Size ε of every step; None is the task's usual learning rate.",
        above=0,
        rate=True,
        search=(1e-4, 1),
    )

    def init(self, params: Weights) -> Memory:
        return {}

    def step(self, params: Weights, credit: Weights, memory: Memory, epoch: Array) -> tuple[Weights, Memory]:
        return {**params, **{k: params[k] - self.lr * np.sign(g) for k, g in credit.items()}}, {}


def _like(value: Array, array: Array) -> Array:
    """A scheduled scalar in the array's own precision (a 0-d float64 array would promote float32)."""
    return value if isinstance(value, float | int | Riding) else value.astype(array.dtype)


OPTIMISERS: dict[str, type[Optimiser]] = {
    "gradient_descent": GradientDescent,
    "adam": Adam,
    "sign_step": SignStep,
}
