"""The command line: `python -m harness` and the console script `harness`, a Hydra application.

A run trains one cell, keeps it, and prints what came of it; a sweep (`-m`) is conducted as a study
(hydra_plugins/harness_sweeper.py). Bad input ends in one sentence and exit code 2.
"""

from __future__ import annotations

import os
import signal
import sys
from string import Template
from typing import Any, NoReturn

import hydra
import omegaconf
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.cli.arguments import one_sentence, prepare
from harness.cli.conduct import follow_up, say_mended
from harness.cli.settings import in_words, lines
from harness.core.ending import end_with_parent
from harness.core.errors import InputError
from harness.core.registry import add_plugins
from harness.experiment.run import check_room
from harness.store import definitions
from harness.store.store import Store
from harness.studies.attempt import attempt
from harness.studies.compose import cell_of
from harness.studies.conf import CONF, VERSION_BASE
from harness.studies.overrides import read
from harness.studies.packing import read_file, run_text
from harness.studies.request import Request
from harness.studies.rulesets import ruled

HELP = """$header

== Options (choose with group=option) ==
$APP_CONFIG_GROUPS
== Settings (change with setting=value) ==
$CONFIG

$footer

== What they mean (null is None in Python) ==
$words
"""


def _help_in_words(*names: str, _parent_: DictConfig) -> str:
    """The template that conf/hydra/help/harness.yaml asks for, in which Hydra then fills in what there is."""
    words = f"{in_words(*names)}\n\nrun\n{lines('run', Settings)}"
    texts = {"header": _parent_.header, "footer": _parent_.footer, "words": words}
    # to Hydra, too, $ has a meaning
    return Template(HELP).safe_substitute({name: text.replace("$", "$$") for name, text in texts.items()})


# OmegaConf 2.4 has a new name for it, which in 2.3 is that of something older
_NEW = tuple(map(int, omegaconf.__version__.split(".")[:2])) >= (2, 4)
_register: Any = getattr(OmegaConf, "register_resolver" if _NEW else "register_new_resolver")
_register("help_in_words", _help_in_words, replace=True)


def main() -> None:
    """Run the application; exit code 2 for bad input, 1 for a cell that failed."""
    before = os.environ.get("HYDRA_FULL_ERROR", "0")
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands us its errors instead of printing them
    signal.signal(signal.SIGTERM, _stop)
    try:
        with one_sentence(traceback=before == "1"):
            check_arguments()
            prepare(sys.argv[1:])
            job()
    finally:
        os.environ["HYDRA_FULL_ERROR"] = before


def check_arguments() -> None:
    """Read what was typed before Hydra does. Raises `InputError` for what cannot be read."""
    parser = get_args_parser()
    parser.error = _refuse  # argparse's own would print its usage and exit
    given = parser.parse_args()
    if not given.shell_completion:
        read(given.overrides)


@hydra.main(config_path=CONF, config_name="config", **VERSION_BASE)  # type: ignore[untyped-decorator]  # Hydra
def job(cfg: DictConfig) -> None:
    """One cell alone, or a job of a sweep: the cells of a file, or one cell of another sweeper's than ours.
    A job keeps what becomes of a cell's code and goes on to the next.
    """
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        end_with_parent()
        # Hydra holds what it raises, and the study says it
        if path := cfg.get("cells"):
            add_plugins(*cfg.plugins)
            run_text(cfg.store, read_file(path))
            return
        cell, asked = _asked(cfg)
        attempt(cell, Store.at(asked.store).prepare())
        return
    with one_sentence():  # here, before Hydra adds its own words
        run_alone(*_asked(cfg))


def _asked(cfg: DictConfig) -> tuple[Cell, Request]:
    cell, asked = cell_of(cfg), Request.of(cfg)
    named = [each.partition("=")[0].lstrip("+") for each in HydraConfig.get().overrides.task]
    return ruled(cell, asked, named), asked


def run_alone(cell: Cell, asked: Request) -> None:
    """Run one cell for somebody who is watching."""
    cell.check()
    if asked.study.cells:
        raise InputError(
            f"study {asked.study.name!r} is a sweep of many cells: "
            f"run it by python -m harness -m study={asked.study.name}"
        )
    if asked.small:
        raise InputError(
            "small=true would be ignored: it is the small form "
            "of a study (python -m harness -m study=… small=true)"
        )
    if asked.cells:
        raise InputError(
            f"cells={asked.cells} would be ignored: a sweep hands it to the jobs of its launcher"
        )
    if asked.plan:
        raise InputError("plan=true would be ignored: it is for sweeps (python -m harness -m … plan=true)")
    check_room(cell)
    store = Store.at(asked.store)
    definitions.check(store.study_folder(asked.study.name))  # before hours of training, not after
    store.prepare()
    say_mended(store, [cell.id])
    known = store.has(cell.id)
    record = attempt(cell, store, progress=True)
    if record is None:
        failure = store.failures([cell.id])[cell.id]
        if failure["traceback"]:
            print(failure["traceback"], file=sys.stderr)
        sys.exit(f"harness: {cell.id} failed: {failure['reason']}")
    store.join_study(asked.study.name, asked.study.question, cell.id)
    print(record)
    print(f"record: {os.path.relpath(record.path)}{' (made earlier)' if known else ''}")
    follow_up(store, asked.study.name, asked.tracking)


def _stop(*_: object) -> None:
    # the way launchers know to end their workers; a SIGTERM alone would leave them running
    raise KeyboardInterrupt


def _refuse(message: str) -> NoReturn:
    raise InputError(f"{message}: harness --hydra-help says which flags there are")
