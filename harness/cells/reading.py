"""A module's source, read for what it means and imports: once on a machine, for it takes milliseconds each.

    <the user's cache>/code/cpython-311.json    by what was read and how: the hash of its meaning, its imports

What is remembered follows from the source alone (and from how this Python, and `harness.cells.syntax`, read
it, which are in the key, too): nothing in it can be out of date, and without it all is read anew.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from harness.cells import syntax
from harness.core.files import write_atomically
from harness.core.folders import user_cache

MOST = 1000  # sources remembered: those of some twenty versions of the harness


class Meaning(NamedTuple):
    """What a source says."""

    digest: str
    """Of its syntax, without the words about it."""
    imports: tuple[str, ...]
    """What its import statements name, sorted: modules, and what may be modules."""


def read(source: str, package: str, *, lazily: bool) -> Meaning:
    """What the source of a module in `package` says; `lazily`: its functions' imports are imports, too."""
    tree = ast.parse(source)
    named = set(syntax.imports(ast.walk(tree) if lazily else tree.body, package))
    return Meaning(syntax.meaning(tree), tuple(sorted(named)))


@dataclass
class Memory:
    """What was read before, by this process or another."""

    file: Path | None
    """Where it is kept between processes; None for nowhere."""
    how: str
    """What reads: another reader remembers other things."""
    known: dict[str, Meaning] = field(default_factory=dict)
    new: bool = False

    @classmethod
    def of(cls, file: Path | None) -> Memory:
        """What a file remembers; one that cannot be read remembers nothing."""
        how = f"{sys.version} {hashlib.sha256(inspect.getsource(syntax).encode()).hexdigest()}"
        known: dict[str, Meaning] = {}
        if file is not None:
            with suppress(OSError, ValueError, TypeError, AttributeError):
                kept = json.loads(file.read_text(encoding="utf-8"))
                known = {key: Meaning(str(digest), tuple(names)) for key, (digest, names) in kept.items()}
        return cls(file, how, known)

    def read(self, source: str, package: str, *, lazily: bool) -> Meaning:
        """`read`, from memory if it is there."""
        said = "\0".join((self.how, package, str(lazily), source))
        key = hashlib.sha256(said.encode()).hexdigest()
        if key not in self.known:
            self.known[key] = read(source, package, lazily=lazily)
            self.new = True
        return self.known[key]

    def keep(self) -> None:
        """Write down what is new; a disk that does not take it is no loss."""
        if self.new and self.file is not None:
            self.new = False
            latest = dict([*self.known.items()][-MOST:])
            with suppress(OSError):
                self.file.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(self.file, json.dumps(latest))


@cache
def memory() -> Memory:
    """This user's, on this machine."""
    try:
        return Memory.of(user_cache("code") / f"{sys.implementation.cache_tag}.json")
    except (OSError, RuntimeError):  # no home, or the source of this house is not at hand
        return Memory(None, "")
