"""Features made by hand: what a person would compute of a task's inputs, as functions with a name.

A task's file marks a function as a feature set, and names it in what is usual for the task:

    @feature
    def pairs(x):                                   # (…, N, inputs) → (…, N, k)
        return np.abs(x - np.flip(x, axis=-1))

    usual = Usual(…, features=("pairs",))

A set is a function of the inputs alone, so that it is the same in any process that knows the task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Array = Any
Feature = Callable[[Array], Array]

FEATURES: dict[str, Feature] = {}
"""All feature sets of the tasks that are loaded, by name."""


def feature(function: Feature) -> Feature:
    """Mark a function of inputs (…, N, inputs) as a feature set (…, N, k), under its own name.

    Args:
        function: written in functional NumPy, as an algorithm is: it is counted and compiled, too.

    Returns:
        The function.

    >>> @feature
    ... def squares(x):
    ...     return x * x
    >>> FEATURES.pop("squares")(3.0)
    9.0
    """
    FEATURES[function.__name__] = function
    return function
