"""`python -m harness.studies`: what became of the studies of a store, and handing one over as a file.

python -m harness.studies [list | show NAME | retry NAME [WORD …] | forget NAME [--records]
    | rename OLD NEW | export NAME [FILE] | import FILE [--as NAME] | compare A B] [store=FOLDER]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from harness.cli import studies_shown as shown
from harness.cli.arguments import one_sentence, prepare
from harness.cli.bars import cells_bar
from harness.cli.conduct import report, say, say_lost
from harness.core.errors import InputError, unknown
from harness.experiment.digits import number
from harness.results.compared import compared
from harness.results.gathering import found_in, store_of
from harness.store import said
from harness.store.export import export
from harness.store.forget import forget, rename
from harness.store.names import study_name
from harness.store.opened import Opened
from harness.store.running import seen
from harness.store.store import Store
from harness.store.study_file import ENDING
from harness.store.take_in import take_in
from harness.studies import retry
from harness.studies.jobs import run_jobs
from harness.studies.pool import cores
from harness.studies.state import DONE, State, seconds_left, state_of

PROGRAM = "python -m harness.studies"
COMMANDS = {
    "list": "the studies of a store: cells finished, failed, running, not run; replicas; when last worked on",
    "show": "each cell of a study: what became of it, why it failed, and how long the rest may take",
    "retry": "run the failed cells of a study again, or those with a word in their ids",
    "forget": "remove a study's definition, tables and pages; its records stay",
    "rename": "give a study another name",
    "export": "write all of a study into one file",
    "import": "take a study's file in: verified first, and nothing that is there is overwritten",
    "compare": "two studies cell by cell: outcomes, the difference of the shares solved, the bits",
}
SETTINGS = ("store", "plugins")


class _Parser(argparse.ArgumentParser):
    """One whose complaint is one sentence."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}: {self.prog} --help says what there is")


def parser() -> argparse.ArgumentParser:
    """What can be typed."""
    top = _Parser(
        prog=PROGRAM, description="Studies: looked at, done again, handed over.", allow_abbrev=False
    )
    inner = top.add_subparsers(dest="command", metavar="COMMAND")
    of = {
        name: inner.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False
        )
        for name, text in COMMANDS.items()
    }
    for name in ("show", "retry", "forget", "export"):
        of[name].add_argument("name", metavar="NAME", help="the study")
    of["retry"].add_argument(
        "words",
        metavar="WORD",
        nargs="*",
        help="part of the ids of the cells meant (default: all that failed)",
    )
    of["retry"].add_argument("--plugins", help="files, folders or modules with what is yours; also plugins=…")
    of["forget"].add_argument(
        "--records", action="store_true", help="remove its records, too, those that no other study has"
    )
    of["rename"].add_argument("old", metavar="OLD", help="the study")
    of["rename"].add_argument("new", metavar="NEW", help="what to call it")
    of["export"].add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help=f"the file; one that is there is replaced (default: NAME{ENDING})",
    )
    of["import"].add_argument("file", metavar="FILE", help="a study's file")
    of["import"].add_argument("--as", dest="name", metavar="NAME", default="", help="what to call it here")
    of["import"].add_argument(
        "--keep", action="store_true", help="leave records that are here with other contents, take the others"
    )
    for side in "AB":
        of["compare"].add_argument(
            side.lower(),
            metavar=side,
            help="a study, the file or the folder of one; store=FOLDER: of the same name in that store",
        )
    for each in of.values():
        each.add_argument(
            "--store", metavar="FOLDER", help="the store (default: HARNESS_STORE, else results); also store=…"
        )
    return top


def parsed(typed: Sequence[str]) -> argparse.Namespace:
    """What was typed, `list` if nothing was. Raises `InputError` for what cannot be."""
    words = list(typed) or ["list"]
    values = ("--store", "--plugins", "--as")  # the word after these is theirs
    named = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not (word.startswith("-") or _setting(word) or before in values)
    ]
    if not named and not {"-h", "--help"} & set(words):
        words = ["list", *words]
    elif named and named[0] not in COMMANDS:
        raise unknown("command of studies", named[0], COMMANDS)
    sides = 3 - len(named) if named[:1] == ["compare"] else 0  # so many may be stores
    flags: list[str] = []
    for word in words:
        if word.startswith("store=") and sides > 0:
            sides -= 1
        elif _setting(word):
            word = f"--{word}"
        flags.append(word)
    first = next((i for i, word in enumerate(flags) if word in COMMANDS), 0)
    return parser().parse_args([flags[first], *flags[:first], *flags[first + 1 :]])


def _setting(word: str) -> bool:
    return word.partition("=")[0] in SETTINGS and "=" in word


@one_sentence()
def main(typed: Sequence[str] | None = None) -> None:
    """Do what is asked; exit code 2 for bad input, 1 where a cell failed again."""
    asked = parsed(sys.argv[1:] if typed is None else typed)
    {
        "list": _list,
        "show": _show,
        "retry": _retry,
        "forget": _forget,
        "rename": _rename,
        "export": _export,
        "import": _import,
        "compare": _compare,
    }[asked.command](asked)


def _list(asked: argparse.Namespace) -> None:
    store = store_of(asked.store)
    now, states, broken = seen(store), list[State](), list[str]()
    for name in reversed(store.studies()):
        try:
            states.append(state_of(store, name, now))
        except InputError as error:
            broken.append(str(error))
    if not states and not broken:
        print(f"{_here(store.path)} has no studies yet: python -m harness -m study=… runs one")
    if states:
        shown.overview(sorted(states, key=lambda state: -state.worked_on))
    for sentence in broken:
        say(sentence)


def _show(asked: argparse.Namespace) -> None:
    store = store_of(asked.store)
    now = seen(store)
    state = state_of(store, asked.name, now)
    known = said.kept(store, asked.name)
    workers = max(cores(), len(now.running.keys() & {cell.id for cell in state.cells}))
    shown.cells(state, seconds_left(store, state, now, workers), workers, known.command if known else "")


def _retry(asked: argparse.Namespace) -> None:
    store = _own(asked.store)
    prepare([f"plugins={asked.plugins}"] if asked.plugins else [])
    found = retry.again(store, asked.name, asked.words)
    for i, why in found.left.items():
        say(f"{i} cannot be run again as it is: {why}")
    if not found.cells:
        print(f"nothing of {asked.name} to run again{_open(store, asked.name)}")
        sys.exit(1 if found.left else 0)
    store.prepare()
    for old, new in retry.replace(store, asked.name, found.cells).items():
        say(f"{new} takes the place of {old}: its code, or what it runs on, is another now")
    cells = {cell.id: cell for cell in found.cells.values()}
    waiting = [cell for i, cell in cells.items() if not store.has(i)]
    with cells_bar(store, waiting, stays=True):
        lost = run_jobs(waiting, store, cores())
    complete = say_lost(store, cells, lost, "")
    done = [i for i in cells if store.has(i)]
    print(f"{number(len(done))} of {_count(len(cells), 'cell')} finished{_open(store, asked.name)}")
    if done:
        _remade(store, asked.name, figures=True)
    if not (complete and not found.left):
        sys.exit(1)


def _open(store: Store, name: str) -> str:
    """What else of a study has no record, if anything, and what runs it."""
    state, known = state_of(store, name, seen(store)), said.kept(store, name)
    rest = len(state.cells) - sum(state.counts[each] for each in DONE)
    command = f": {known.command} runs it" if known and known.command else ""
    return f"; {_count(rest, 'cell')} of the study without a record{command}" if rest else ""


def _remade(store: Store, name: str, *, figures: bool) -> None:
    """Make a study's tables and pages anew; say it where the disk does not take them."""
    known = said.kept(store, name)
    try:
        report(store, name, fresh=True, figures=figures, shown=False, command=known.command if known else "")
    except (OSError, InputError) as error:
        say(f"the table or page of study {name!r} could not be made: {error}")
    else:
        print(f"page: {_here(store.study_folder(name) / 'index.html')}")


def _forget(asked: argparse.Namespace) -> None:
    store = _own(asked.store)
    gone = forget(store, asked.name, records=asked.records)
    if asked.records:
        what = f"and {_count(gone.removed, 'record')} with it"
        what += (
            f"; {_count(gone.shared, 'record')} stay, which other studies have, too" if gone.shared else ""
        )
    else:
        what = f"its {_count(gone.kept, 'record')} stay"
    print(f"{asked.name} is forgotten, {what}")


def _rename(asked: argparse.Namespace) -> None:
    store = _own(asked.store)
    rename(store, asked.old, asked.new)
    print(f"{asked.old} is called {asked.new} now")
    _remade(store, asked.new, figures=False)


def _export(asked: argparse.Namespace) -> None:
    store = store_of(asked.store)
    study_name(asked.name)
    path = Path(asked.file or f"{asked.name}{ENDING}")
    done = export(store, asked.name, path)
    rest = done.cells - done.records - done.failed
    lacks = f", {_count(done.failed, 'failure')}" if done.failed else ""
    lacks += f"; {_count(rest, 'cell')} not run" if rest else ""
    size = f"{done.bytes / 1e6:,.1f} MB" if done.bytes >= 1e5 else f"{done.bytes / 1e3:,.1f} kB"
    print(f"{path}: {asked.name}, {_count(done.records, 'record')}{lacks}, {size}")
    print(f"elsewhere: {PROGRAM} import {path.name}")


def _import(asked: argparse.Namespace) -> None:
    store = Store.at(asked.store or os.environ.get("HARNESS_STORE") or "results")
    path = Path(asked.file)
    if not path.is_file():
        raise InputError(f"there is no file {path}: give a study's file, as {PROGRAM} export writes it")
    done = take_in(store, path, asked.name, keep=asked.keep)
    was = [f"{number(done.equal)} that were here already"] if done.equal else []
    was += [f"{number(done.kept)} that are other ones here and were left"] if done.kept else []
    print(
        f"{done.study}: {_count(done.records, 'record')} taken in{', beside ' if was else ''}{', '.join(was)}"
    )
    print(f"cells: {PROGRAM} show {done.study}\npage: python -m harness.dashboard study={done.study}")


def _compare(asked: argparse.Namespace) -> None:
    sides = [_side(word, asked.store) for word in (asked.a, asked.b)]
    names = [name for _, name in sides if name]
    if not names:
        raise InputError("compare needs the name of a study, but two stores were given")
    both = [(store, name or names[0]) for store, name in sides]
    found = [found_in(name, store, numbers=False) for store, name in both]
    places = [
        word if isinstance(store, Opened) else _here(store.path)
        for word, (store, _) in zip((asked.a, asked.b), both, strict=True)
    ]
    shown.beside(compared(*found), [name for _, name in both], places)


def _side(word: str, store: str | None) -> tuple[Store, str]:
    """A store and the study in it that is meant; '' for the one that is meant on the other side."""
    if word.startswith("store="):
        return store_of(word.removeprefix("store=")), ""
    path = Path(word)
    if path.is_file():
        held = store_of(path)
        return held, held.studies()[0]
    if path.parent.name == "studies" and path.is_dir():
        return store_of(path.absolute().parent.parent), path.name
    return store_of(store), study_name(word)


def _own(given: str | None) -> Store:
    """The store that is to be changed. Raises `InputError` for the file of a study."""
    store = store_of(given)
    if isinstance(store, Opened):
        raise InputError(
            f"{given} is the file of a study, which is only read: import it, and change it there"
        )
    return store


def _here(path: Path) -> str:
    return os.path.relpath(path)


def _count(n: int, one: str) -> str:
    return f"{number(n)} {one}{'s' * (n != 1)}"
