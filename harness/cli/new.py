"""`python -m harness.new algorithm my_rule` (or task, or optimiser): writes my_rule.py, which runs as it is.

The file is a plug-in; what is in it is there to be changed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

from harness.cli.arguments import one_sentence
from harness.core import registry
from harness.core.errors import InputError, one_of
from harness.core.naming import snake_case
from harness.core.optimisers import OPTIMISERS

TEMPLATES = Path(__file__).parent / "templates"
COMMANDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "algorithm": (
        ("run it", "harness {plugin} algorithm={name} task=xor"),
        ("check its credit", "harness.credit {plugin} algorithm={name} task=xor"),
        ("compare it", "harness -m {plugin} algorithm=backprop,{name} task=xor"),
    ),
    "task": (
        ("run it", "harness {plugin} task={name} algorithm=backprop"),
        ("check a credit on it", "harness.credit {plugin} task={name} algorithm=backprop"),
        ("compare on it", "harness -m {plugin} task={name} algorithm=backprop,shallow,feedback_alignment"),
    ),
    "optimiser": (
        ("run it", "harness {plugin} algorithm/optimiser={name} task=xor"),
        ("see its settings", "harness.catalog {plugin} algorithm=backprop algorithm/optimiser={name}"),
        ("compare it", "harness -m {plugin} algorithm/optimiser=gradient_descent,{name} task=xor"),
    ),
}
"""What can be written, and what to do with it next."""


def main() -> None:
    """Write the file and say how to run it; exit code 2 for what cannot be written."""
    with one_sentence():
        for line in write(sys.argv[1:], Path.cwd()):
            print(line)


def write(arguments: list[str], folder: Path) -> list[str]:
    """Write a file that runs as it is.

    Args:
        arguments: what it is to be, and its name.
        folder: where it is written.

    Returns:
        What to tell the user: the file's name, and commands to go on with.

    Raises:
        InputError: for what there is no template of, a name that cannot be one, and a file that is there.
    """
    kinds = ", ".join(COMMANDS)
    if len(arguments) != 2:
        given = " ".join(arguments) or "nothing"
        raise InputError(
            f"new takes one of {kinds}, and a name, as in "
            f"`python -m harness.new algorithm my_rule`, but {given} was given"
        )
    kind, name = arguments
    one_of("kind of plug-in", kind, COMMANDS)
    _check(kind, name)
    text = (TEMPLATES / f"{kind}.py.txt").read_text(encoding="utf-8")
    file = folder / f"{name}.py"
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text.replace("MyRule", _class_name(name)))
    except FileExistsError:
        raise InputError(f"{file.name} is there already, and is left as it is: give another name") from None
    except OSError as error:
        raise InputError(f"{file.name} cannot be written: {error.strerror}") from error
    pairs = [(what, f"python -m {how}") for what, how in COMMANDS[kind]]
    width = max(len(what) for what, _ in pairs)
    said = [
        f"  {what:{width}}  {how.format(plugin=f'plugins={file.name}', name=name)}" for what, how in pairs
    ]
    return [f"{file.name} is written, and runs as it is", *said]


def _check(kind: str, name: str) -> None:
    """Raise `InputError` for a name that a class, an option and a module cannot all have."""
    if not name.isascii() or not name.isidentifier() or iskeyword(name):
        raise InputError(
            "a name is made of small letters, digits and _, as my_rule is, and no word of Python's, "
            f"but {name!r} was given"
        )
    own = snake_case(_class_name(name))
    if own != name:
        raise InputError(
            f"the class {_class_name(name)} would be called {own!r} in commands, not {name!r}: give {own!r}"
        )
    known: dict[str, Mapping[str, type]] = {
        "algorithm": registry.algorithms(),
        "task": registry.tasks(),
        "optimiser": OPTIMISERS,
    }
    taken = known[kind].get(name)
    if taken is not None:
        raise InputError(f"the name {name!r} is taken by {registry.whole_name(taken)}: give another")
    spec = find_spec(name)
    if spec is not None and spec.origin != str(Path.cwd() / f"{name}.py"):
        raise InputError(f"{name!r} is the name of another module, {spec.origin}: give another")


def _class_name(name: str) -> str:
    """`my_rule` → `MyRule`."""
    return "".join(word.capitalize() for word in name.split("_"))


if __name__ == "__main__":
    main()
