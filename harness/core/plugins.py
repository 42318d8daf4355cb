"""Where classes come from: the shipped files, and plug-ins from anywhere.

    HARNESS_PLUGINS=path/to/rule.py,mypkg.rules     a file, a folder, or a module that can be imported, each
    [project.entry-points."harness.plugins"]        what installed packages name there

On the command line `plugins=[…]` says the same, and is handed to workers as the variable is. A file is
loaded as the module of its own name, with its folder at the end of Python's path, so that it can import what
lies beside it and another process can load it again. What does not load is named in `broken`, and the rest
goes on.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, distributions
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from harness.core import shipped
from harness.core.errors import InputError

VARIABLE, GROUP = "HARNESS_PLUGINS", "harness.plugins"
broken: dict[str, str] = {}
"""What could not be loaded, a file, a module or a class, and why, in one sentence."""


def modules() -> Iterator[ModuleType]:
    """Every module in which algorithms, tasks, optimisers, units and losses are looked for, ours first."""
    for package, folder in shipped.SHIPPED.items():
        yield from _all_of(shipped.package(package), [str(folder)])
    for given in named():
        yield from loaded(given)
    for point in points():
        yield from _within(
            point.module, f"plug-in {point.name!r} of {point.dist.name if point.dist else '?'}"
        )


def points() -> list[EntryPoint]:
    """What installed packages name as plug-ins, by module.

    `importlib.metadata.entry_points` would look all of them through: here, those that say the group's name.
    """
    ours = [each for each in distributions() if GROUP in (each.read_text("entry_points.txt") or "")]
    # of a package that is found twice the first is the one that Python imports
    first = {each.name: each for each in reversed(ours)}
    found = [point for each in first.values() for point in each.entry_points.select(group=GROUP)]
    return sorted(found, key=lambda point: point.value)


def named() -> list[str]:
    """The plug-ins that the environment names, in order."""
    return [each.strip() for each in os.environ.get(VARIABLE, "").split(",") if each.strip()]


def name(given: Sequence[str]) -> None:
    """Name further plug-ins in the environment, where the workers of a sweep find them, too."""
    for each in given:
        if "," in each:
            raise InputError(f"a plug-in's path or name has no commas, but {each!r} was given")
    os.environ[VARIABLE] = ",".join([*named(), *given])


def forget(given: str) -> str:
    """Name a plug-in that does not load no longer; why it does not."""
    os.environ[VARIABLE] = ",".join(each for each in named() if each != given)
    return broken.pop(given)


def loaded(given: str) -> Iterator[ModuleType]:
    """The modules of one plug-in: of a file, of a folder, or of a name.

    Args:
        given: a path that ends in .py or is a folder, or the dotted name of a module or package.

    Returns:
        What could be loaded; the rest is in `broken`.
    """
    path = Path(given).expanduser()
    if path.is_dir() and not (path / "__init__.py").is_file():
        files = sorted(each for each in path.glob("*.py") if not each.name.startswith("_"))
        if not files:
            broken[given] = "there is no file of Python in this folder"
        for file in files:
            yield from _file(file, str(file))
    elif path.is_dir():
        yield from _file(path, given)
    elif path.suffix == ".py" or os.sep in given:
        if path.is_file():
            yield from _file(path, given)
        else:
            broken[given] = "there is no such file"
    else:
        yield from _within(given, given)


def _file(path: Path, called: str) -> Iterator[ModuleType]:
    """A file, or a folder that is a package, as the module of its own name."""
    path = path.resolve()
    name, folder = path.stem, str(path.parent)
    if not name.isidentifier():
        broken[called] = f"{name!r} can be no module's name: use letters, digits and _"
        return
    if folder not in sys.path:
        sys.path.append(folder)  # at the end: it must hide nothing
    importlib.invalidate_caches()
    spec = sys.modules[name].__spec__ if name in sys.modules else find_spec(name)
    origin = Path(spec.origin).resolve() if spec and spec.origin and spec.has_location else None
    if origin not in (path, path / "__init__.py"):
        broken[called] = (
            f"{name!r} is the name of another module, {origin or 'of Python itself'}: rename the file"
        )
        return
    yield from _within(name, called)


def _within(name: str, called: str) -> Iterator[ModuleType]:
    """A module by its name; of a package, all that are in it but those whose name begins with _."""
    module = _imported(name, called)
    if module is not None:
        yield module
        yield from _all_of(module, list(getattr(module, "__path__", ())))


def _all_of(package: ModuleType, folders: list[str]) -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(folders, f"{package.__name__}."):
        if info.name.rpartition(".")[2].startswith("_"):
            continue  # what the others share, as in a folder
        module = _imported(info.name, info.name)
        if module is not None:
            yield module


def _imported(name: str, called: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        missing = error.name and f"{name}.".startswith(f"{error.name}.")
        broken[called] = f"there is no file, folder or module {name!r}" if missing else _why(error)
        return None
    except BaseException as error:  # sys.exit() included: one bad file must not take the others away
        broken[called] = _why(error)
        return None


def _why(error: BaseException) -> str:
    """What went wrong and in which line of the file that was loaded, or of one beside it."""
    if isinstance(error, InputError):
        return str(error)
    words = " ".join(str(error).split())
    places = [at for at in traceback.extract_tb(error.__traceback__) if _is_loaded(at.filename)]
    beside = [at for at in places if Path(at.filename).parent == Path(places[0].filename).parent]
    place = f"{Path(beside[-1].filename).name}, line {beside[-1].lineno}: " if beside else ""
    return f"{place}{type(error).__name__}{': ' * bool(words)}{words}"


def _is_loaded(file: str) -> bool:
    """Whether a line of a traceback is of what was loaded, and not of who loads it."""
    return not file.startswith("<") and file not in (__file__, importlib.__file__)
