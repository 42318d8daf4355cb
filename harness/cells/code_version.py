"""What of the code determines a cell's bits:
a hash of its algorithm, its task, the loop, and all of theirs that they import.

Code is known by its meaning: syntax trees without comments, docstrings and sentences on settings, of a module
and of the modules it imports, so that a better docstring recomputes nothing and a changed line does. Followed
are the harness, and whatever lies beside a class that takes part: the modules of its package, or of its
folder if it is a single file. Others, such as NumPy, are not. In the harness itself only imports at the top
of a module count: those inside functions are how the core reaches for words and frames. In a plug-in all
count.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from functools import partial
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import harness
from harness.cells.fileless import definitions, file_of
from harness.cells.reading import memory
from harness.cells.syntax import lasting, meaning
from harness.core.losses import Loss

HARNESS = ("harness", "algorithms")  # of the packages themselves, a version and a docstring, nothing is read
SHARED = ("site-packages", "dist-packages")  # a single file there has strangers beside it


class Piece(NamedTuple):
    """What is known of a module."""

    digest: str
    imports: frozenset[str]
    """Modules that it imports, and names that may be modules."""


# by name, with what it was loaded as: a module loaded anew is read anew
_known: dict[str, tuple[object, int, Piece]] = {}


def code_version(*parts: type | str) -> str:
    """A hash (12 hex digits) of what `parts`, classes or names of modules,
    and what they import of ours and theirs do.
    """
    followed, seen, waiting = _Followed(), dict[str, str](), list[str]()
    for part in parts:
        for name, piece in _roots(part, followed):
            seen[name] = piece.digest
            waiting.extend(piece.imports)
    while waiting:
        name = waiting.pop()
        if name not in seen and name not in HARNESS and name in followed:
            piece = _of_module(name)
            seen[name] = piece.digest
            waiting.extend(piece.imports)
    memory().keep()
    text = "\n".join(f"{name}: {seen[name]}" for name in sorted(seen) if seen[name])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def own_version(cls: type) -> str:
    """A hash (12 hex digits) of what a class does by itself: of its module and those of its bases, without
    what they import, and without the bases that all have. Of modules it is the same in every version of
    Python: a file that names it is used with others than it was made with.
    """
    digests = []
    for name, piece in _roots(cls, _Followed()):
        spec = None if name.startswith("harness.core.") or " " in name else _spec(name)
        source = _source(spec) if spec is not None and (spec.origin or "").endswith(".py") else ""
        if not name.startswith("harness.core."):
            digests.append(lasting(source) if isinstance(source, str) and source else piece.digest)
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:12]


class _Followed:
    """Which modules are followed: those of our packages,
    of the packages of what takes part, and beside single files.
    """

    def __init__(self) -> None:
        self.packages, self.folders = set(HARNESS), set[Path]()

    def __contains__(self, module: str) -> bool:
        top = module.partition(".")[0]
        return top in self.packages or bool(self.folders and _folder(top) in self.folders)

    def add(self, name: str, file: Path) -> None:
        """Follow what lies beside the module `name` in `file`."""
        top, dot, _ = name.partition(".")
        if (dot and _spec(top) is not None) or file.name == "__init__.py":
            self.packages.add(top)
        elif file.parent.name not in SHARED:
            self.folders.add(file.parent.resolve())


def _roots(part: type | str, followed: _Followed) -> Iterator[tuple[str, Piece]]:
    """The modules that `part` itself stands for, by name; what is beside them is followed from now on."""
    if isinstance(part, str):
        spec = _spec(part)
        if spec is not None and spec.origin and part.partition(".")[0] not in HARNESS:
            followed.add(part, Path(spec.origin))
        yield part, _of_module(part, spec)
        return
    for cls in part.__mro__:
        # algorithms, tasks, optimisers and edges are dataclasses; a stranger's base is not followed
        if not (is_dataclass(cls) or issubclass(cls, Loss)):
            continue
        spec = _spec(cls.__module__)
        file = Path(spec.origin) if spec is not None and spec.origin else file_of(cls)
        if spec is not None:
            name, piece = spec.name, _of_module(spec.name, spec)
        elif file is not None:  # a script, or a file loaded by its path
            name, loaded = file.stem, sys.modules.get(cls.__module__, cls)
            piece = _remembered(str(file), loaded, None, partial(_read_file, file))
        else:
            followed.folders.add(Path.cwd())
            for own in definitions(cls):
                yield f"{cls.__module__} {own.name}", Piece(meaning(own.syntax), own.imports)
            continue
        if file is not None:
            followed.add(name, file)
        yield name, piece


def _of_module(name: str, spec: ModuleSpec | None = None) -> Piece:
    spec = spec or _spec(name)
    if spec is None:  # `from module import name`, where name is not a module
        return Piece("", frozenset())
    return _remembered(
        name, getattr(sys.modules.get(name), "__spec__", None), spec.origin, partial(_read_module, name, spec)
    )


def _remembered(name: str, loaded: object, file: str | None, read: Callable[[], Piece]) -> Piece:
    """A piece as it was when we were first asked for what is `loaded` now:
    what a process runs is not what is edited since.

    What is not loaded (None) is what its file says now.
    """
    written = os.stat(file).st_mtime_ns if loaded is None and file and os.path.isfile(file) else 0
    known = _known.get(name)
    if known is None or known[0] is not loaded or known[1] != written:
        known = _known[name] = loaded, written, read()
    return known[2]


def _read_module(name: str, spec: ModuleSpec) -> Piece:
    source = _source(spec)
    if isinstance(source, bytes):
        return Piece(hashlib.sha256(source).hexdigest(), frozenset())
    package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
    return _read(source, package, lazily=name.partition(".")[0] != "harness")


def _read_file(file: Path) -> Piece:
    return _read(_text(file), "", lazily=True)


def _read(source: str, package: str, *, lazily: bool) -> Piece:
    said = memory().read(source, package, lazily=lazily)
    modules = (name if _spec(name) is not None else _behind_the_face(name) for name in said.imports)
    return Piece(said.digest, frozenset(name for name in modules if name))


def _behind_the_face(name: str) -> str:
    """The module that a name of the face comes from:
    `harness.exact_gradient` is of `harness.core.exact_gradient`. Else ''.
    """
    package, _, inside = name.rpartition(".")
    module = getattr(getattr(harness, inside, None), "__module__", "") if package == "harness" else ""
    return module if str(module).startswith("harness.") else ""


def _spec(name: str) -> ModuleSpec | None:
    """How a module is, or would be, loaded; found without importing the packages around it.

    None if it is no module.
    """
    spec = getattr(sys.modules.get(name), "__spec__", None)
    if spec is not None:
        return spec
    above, dot, _ = name.rpartition(".")
    if dot:
        around = _spec(above)
        places = None if around is None else around.submodule_search_locations
        return None if places is None else PathFinder.find_spec(name, list(places))
    try:
        return find_spec(name)
    except ValueError:  # a script
        return None


def _folder(top: str) -> Path | None:
    """The folder in which a package, or module outside one, lies."""
    spec = _spec(top)
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    return Path(spec.origin).resolve().parents[0 if spec.submodule_search_locations is None else 1]


def _source(spec: ModuleSpec) -> str | bytes:
    """A module's source; what is compiled has its bytes."""
    file = Path(spec.origin or "")
    if file.is_file():
        return _text(file) if file.suffix == ".py" else file.read_bytes()
    # in an archive, or no code at all
    return getattr(spec.loader, "get_source", lambda _: "")(spec.name) or ""


def _text(file: Path) -> str:
    with tokenize.open(file) as opened:  # in the encoding that it declares
        return opened.read()
