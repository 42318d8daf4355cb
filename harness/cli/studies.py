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

from harness.cli import studies_shown as shown
from harness.cli.arguments import one_sentence, prepare
from harness.cli.bars import cells_bar
from harness.cli.conduct import report, say, say_lost
from harness.cli.studies_typed import PROGRAM, parsed
from harness.core.errors import InputError
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
        what += f"; {_stay(gone.shared)}, which other studies have, too" if gone.shared else ""
    else:
        what = f"its {_stay(gone.kept)}"
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
    at = f" store={asked.store}" if asked.store else ""
    print(f"cells: {PROGRAM} show {done.study}{at}")
    print(f"page: python -m harness.dashboard study={done.study}{at}")


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


def _stay(n: int) -> str:
    return f"{_count(n, 'record')} stay{'s' * (n == 1)}"
