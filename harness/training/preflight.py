"""Before a cell is trained: five things that a wrong rule does and that look fine in a table.

It draws from NumPy's global stream (then every replica has the same noise, and every run another), it writes
into what it was handed, a replica is not what it is alone (then something leaks between them), what it gives
back is not of the shape that weights have, or outputs are not what it predicts. Each is a sentence that says
what was found, what was expected and where. Two updates of three replicas on a few patterns: milliseconds.
`harness.checks` has the rest.
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Mapping
from inspect import getsourcefile, getsourcelines
from pathlib import Path
from typing import Any

import numpy as np

from harness.cells.start import Ground, Seeded, ground
from harness.core.algorithm import Algorithm, CreditAlgorithm
from harness.core.errors import ANYTHING, InputError
from harness.core.task import Task
from harness.core.tree import leaves, tree_map

Array = Any
REPLICAS, PATTERNS, UPDATES = 3, 8, 2
BYPASS = "unchecked=true runs it all the same, and is in the record"


class Broken(InputError):
    """A rule does what no rule may; the sentence says what, what was expected, and where."""


class Stirred(Broken):
    """A global stream of random numbers has moved."""


def preflight(algorithm: Algorithm, task: Task, how: Seeded) -> None:
    """Raise `Broken` for a rule that would be wrong in silence.

    Args:
        algorithm, task: with all settings resolved.
        how: seed and precision.
    """
    with np.errstate(all="ignore"):
        try:
            try:
                together, alone = _trials(algorithm, task, how)
            except Stirred:  # a library that a rule imports may draw as it is loaded: but once only
                together, alone = _trials(algorithm, task, how)
        except Broken as fault:
            raise Broken(f"{fault}; {BYPASS}") from None
    for (name, a), (_, b) in zip(leaves(together), leaves(alone), strict=True):
        if np.shares_memory(a, b) or a[1].tobytes() != b[0].tobytes():
            raise Broken(
                f"{algorithm.name} gives a replica other bits of {name} in a batch of {REPLICAS} than alone: "
                f"something is summed or drawn over the replica axis, which comes first "
                f"({place(algorithm)}); {BYPASS}"
            )


def _trials(algorithm: Algorithm, task: Task, how: Seeded) -> tuple[Any, Any]:
    """The states of a few replicas, and of one of them alone."""
    return _trial(algorithm, task, how, range(REPLICAS)), _trial(algorithm, task, how, [1])


def _trial(algorithm: Algorithm, task: Task, how: Seeded, replicas: Any) -> Any:
    """The state after a few updates that nothing may disturb."""
    at = ground(task, how, replicas, PATTERNS)
    state = begun(algorithm, at, len(replicas))
    for _ in range(UPDATES):
        state = updated(algorithm, at, state)
    return state


def begun(algorithm: Algorithm, at: Ground, replicas: int) -> Any:
    """The state at the start. Raises `Broken`."""
    state = held(algorithm, lambda: algorithm.init(at.net, frozen(at.weights), at.noise), "init")
    whole_state(algorithm, state, replicas)
    return state


def updated(algorithm: Algorithm, at: Ground, state: Any) -> Any:
    """The state after an update from a frozen one. Raises `Broken`."""
    batch = at.batch._replace(**{name: frozen(getattr(at.batch, name)) for name in ("x", "target", "wanted")})
    given = frozen(state)
    if isinstance(algorithm, CreditAlgorithm) and type(algorithm).update is CreditAlgorithm.update:
        credit = held(
            algorithm,
            lambda: algorithm.credit(at.net, given["params"], given["memory"], batch, at.noise),
            "credit",
        )
        fitting_credit(algorithm, credit, given["params"])
        right_output(algorithm, at, given, credit[1], "credit")
        step = algorithm.optimiser.step
        params, memory = held(
            algorithm.optimiser,
            lambda: step(given["params"], credit[0], given["optimiser"], batch.epoch),
            "step",
        )
        new = {"params": params, "memory": state["memory"], "optimiser": memory}
    else:
        new = held(algorithm, lambda: algorithm.update(at.net, given, batch, at.noise), "update")
        if not (isinstance(new, tuple) and len(new) == 2):
            raise Broken(
                f"{type(algorithm).__name__}.update gives a {type(new).__name__}, "
                f"but an Update(state, output) was expected ({place(algorithm, 'update')})"
            )
        right_output(algorithm, at, given, new[1], "update")
        new = new[0]
    same_state(algorithm, state, new)
    return new


def held(owner: Any, call: Callable[[], Any], method: str) -> Any:
    """What a method of a rule gives; `Broken` if it raises, or touches a global stream of random numbers."""
    streams = _streams()
    try:
        made = call()
    except InputError:
        raise
    except ANYTHING as error:
        raise Broken(_raised(owner, method, error)) from error
    if streams != _streams():
        raise Stirred(
            f"{type(owner).__name__}.{method} draws from a global stream of random numbers, the same for all "
            "replicas and another in every run: draw from rand, as by rand.normal(…) "
            f"({place(owner, method)})"
        )
    return made


def right_output(algorithm: Algorithm, at: Ground, state: Any, output: Any, method: str) -> None:
    """Raise `Broken` unless the outputs that an update gives are the predictions of the state before it.

    With full batches it is these that decide whether a task is solved.
    """
    if output is None:
        return
    expected = held(algorithm, lambda: algorithm.predict(at.net, state, frozen(at.batch.x)), "predict")
    near = 1e-4 if at.batch.x.dtype == np.float32 else 1e-8
    fits = np.shape(output) == np.shape(expected)
    if not (fits and np.allclose(output, expected, rtol=near, atol=near, equal_nan=True)):
        far = f"up to {np.abs(output - expected).max():.2g} off" if fits else f"of shape {np.shape(output)}"
        raise Broken(
            f"{type(algorithm).__name__}.{method} gives outputs that are {far}: they must be what predict "
            f"gives, {np.shape(expected)}, at the weights before the update, or None, for they decide what "
            f"is solved ({place(algorithm, method)})"
        )


def frozen(tree: Any) -> Any:
    """The same arrays as views that cannot be written to; what is no array stays."""

    def view(a: Any) -> Any:
        if not isinstance(a, np.ndarray):
            return a
        a = a.view()
        a.flags.writeable = False
        return a

    return tree_map(view, tree)


def fitting_credit(algorithm: Algorithm, credit: Any, params: Mapping[Any, Array]) -> None:
    """Raise `Broken` unless a credit is one of these weights."""
    said, where = f"{type(algorithm).__name__}.credit", place(algorithm, "credit")
    if not (isinstance(credit, tuple) and len(credit) == 2 and isinstance(credit[0], Mapping)):
        raise Broken(
            f"{said} gives a {type(credit).__name__}, "
            f"but Credit(gradient by parameter, output or None) was expected ({where})"
        )
    for key, given in credit[0].items():
        if key not in params:
            names = ", ".join(sorted(str(getattr(each, "name", each)) for each in params))
            raise Broken(
                f"{said} has a credit for {key!r}, which is no parameter: "
                f"keys are the network's edges and groups themselves, {names} ({where})"
            )
        wanted, name = params[key].shape, getattr(key, "name", key)
        if np.shape(given)[-2:] != wanted[-2:] or np.broadcast_shapes(np.shape(given), wanted) != wanted:
            raise Broken(
                f"{said} has the shape {np.shape(given)} for {name}, "
                f"but its weights have {wanted}, replicas first ({where})"
            )


def whole_state(algorithm: Algorithm, state: Any, replicas: int) -> None:
    """Raise `Broken` unless a state holds the weights, and arrays with the replica axis first alone."""
    method = "remember" if isinstance(algorithm, CreditAlgorithm) else "init"
    said, where = f"{type(algorithm).__name__}.{method}", place(algorithm, method)
    if not isinstance(state, dict) or "params" not in state:
        raise Broken(f'{said} must give a dict with the weights at "params" ({where})')
    for name, a in leaves(state):
        if not isinstance(a, np.ndarray | np.generic) or np.shape(a)[:1] != (replicas,):
            what = f"an array {a.shape}" if isinstance(a, np.ndarray) else f"{type(a).__name__} {a!r}"
            raise Broken(
                f"the state of {type(algorithm).__name__} holds {what} at {name}, but everything in it must "
                f"be an array with the replica axis first, here of length {replicas}: replicas that finish "
                f"leave the batch ({where})"
            )


def same_state(algorithm: Algorithm, before: Any, after: Any) -> None:
    """Raise `Broken` unless an update leaves names, shapes and precision of a state as they were."""
    method = "credit" if isinstance(algorithm, CreditAlgorithm) else "update"
    old, new = (
        {name: (np.shape(a), getattr(a, "dtype", type(a).__name__)) for name, a in leaves(state)}
        for state in (before, after)
    )
    for name in {**old, **new}:
        if old.get(name) != new.get(name):
            words = [f"{s[name][1]} {s[name][0]}" if name in s else "nothing" for s in (old, new)]
            raise Broken(
                f"an update of {type(algorithm).__name__} makes {words[1]} of {name}, which was {words[0]} "
                f"({place(algorithm, method)})"
            )


def place(owner: Any, method: str = "") -> str:
    """File and line in which a method, or else the class, is defined."""
    cls = type(owner)
    thing = getattr(cls, method, cls) if method else cls
    try:
        return f"{Path(getsourcefile(thing) or '?').name}:{getsourcelines(thing)[1]}"
    except (OSError, TypeError):  # a class of a session that kept no source
        return f"{cls.__module__}.{cls.__qualname__}"


def _raised(owner: Any, method: str, error: BaseException) -> str:
    """What a method raised, in which line of its own file, and what is usually meant."""
    own = _file(owner)
    frames = traceback.extract_tb(error.__traceback__)
    at = next((f for f in reversed(frames) if f.filename == own), frames[-1])
    where, words = f"{Path(at.filename).name}:{at.lineno}", " ".join(str(error).split())
    said = f"{type(owner).__name__}.{method}"
    if isinstance(error, ValueError) and "read-only" in words:
        return f"{said} writes into what it was handed, which others read, too: make a new array ({where})"
    hint = ""
    if isinstance(error, AttributeError) and error.name in ("lr", "rate", "momentum"):
        hint = f": {error.name} is the optimiser's, self.optimiser.{error.name}"
    return f"{said} raises {type(error).__name__}: {words}{hint} ({where})"


def _file(owner: Any) -> str:
    try:
        return getsourcefile(type(owner)) or ""
    except TypeError:
        return ""


def _streams() -> tuple[Any, ...]:
    """Where the global streams stand."""
    numpys: Any = np.random.get_state(legacy=False)  # noqa: NPY002  # the stream that nobody may touch
    return numpys["state"]["key"].tobytes(), numpys["state"]["pos"], numpys["gauss"], random.getstate()
