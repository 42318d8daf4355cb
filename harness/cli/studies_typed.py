"""What can be typed after `python -m harness.studies`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from harness.core.errors import InputError, unknown
from harness.store.study_file import ENDING

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
