"""The command line: `python -m harness` and the console script `harness`, a Hydra application.

A run trains one cell, keeps it, and prints what came of it; a sweep (`-m`) is conducted as a study
(hydra_plugins/harness_sweeper.py). Bad input ends in one sentence and exit code 2.
"""

from __future__ import annotations

import os
import signal
import sys

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.cli.bars import epochs_bar
from harness.cli.conduct import follow_up, say_mended
from harness.cli.settings import in_words, lines
from harness.core import registry
from harness.core.errors import InputError
from harness.store import definitions
from harness.store.record import Store
from harness.studies import options, study_option
from harness.studies.attempt import attempt
from harness.studies.compose import cell_of
from harness.studies.conf import CONF, VERSION_BASE
from harness.studies.pool import end_with_parent

study_option.register()
options.register()  # at import: the workers of a launcher import this module to find the job


def _in_words(*names: str) -> str:
    """What conf/hydra/help/harness.yaml ends with; there, $ has a meaning."""
    return f"{in_words(*names)}\n\nrun\n{lines('run', Settings)}".replace("$", "$$")


OmegaConf.register_new_resolver("settings_in_words", _in_words, replace=True)


def main() -> None:
    """Run the application; exit code 2 for bad input, 1 for a cell that failed."""
    before = os.environ.get("HYDRA_FULL_ERROR", "0")
    wants_traceback = before == "1"
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands us its errors instead of printing them
    for module, error in registry.broken.items():
        print(f"harness: {module} is left out, it does not load: {error}", file=sys.stderr)
    signal.signal(signal.SIGTERM, _stop)
    try:
        job()
    except KeyboardInterrupt:
        print(
            "harness: interrupted; finished cells are kept, and the same command does the rest",
            file=sys.stderr,
        )
        sys.exit(130)
    except InputError as problem:
        if wants_traceback:
            raise
        sys.exit(_complain(str(problem)))
    except (HydraException, OmegaConfBaseException, YAMLError) as problem:
        if wants_traceback:
            raise
        from harness.cli.messages import sentence

        sys.exit(_complain(sentence(problem)))
    finally:
        os.environ["HYDRA_FULL_ERROR"] = before


@hydra.main(config_path=CONF, config_name="config", **VERSION_BASE)  # type: ignore[untyped-decorator]  # Hydra
def job(cfg: DictConfig) -> None:
    """One cell: alone, or as a job of a sweep,
    which keeps what becomes of its code and goes on to the next.
    """
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        end_with_parent()
        # Hydra holds what it raises, and the study says it
        attempt(cell_of(cfg), Store.at(cfg.store).prepare())
        return
    try:
        run_alone(cell_of(cfg), Store.at(cfg.store), cfg)
    except InputError as error:
        sys.exit(_complain(str(error)))  # here, before Hydra adds its own words


def run_alone(cell: Cell, store: Store, cfg: DictConfig) -> None:
    """Run one cell for somebody who is watching."""
    if cell.not_applicable:
        raise InputError(cell.not_applicable)
    if cfg.study.cells:
        raise InputError(
            f"study {cfg.study.name!r} is a sweep of many cells: "
            f"run it by python -m harness -m study={cfg.study.name}"
        )
    if cfg.small:
        raise InputError(
            "small=true would be ignored: it is the small form "
            "of a study (python -m harness -m study=… small=true)"
        )
    definitions.check(store.study_folder(cfg.study.name))  # before hours of training, not after
    store.prepare()
    say_mended(store, [cell.id])
    known = store.has(cell.id)
    with epochs_bar(cell) as tick:
        record = attempt(cell, store, tick)
    if record is None:
        failure = store.failures([cell.id])[cell.id]
        if failure["traceback"]:
            print(failure["traceback"], file=sys.stderr)
        sys.exit(f"harness: {cell.id} failed: {failure['reason']}")
    store.join_study(cfg.study.name, cfg.study.question, cell.id)
    print(record)
    print(f"record: {os.path.relpath(record.path)}{' (made earlier)' if known else ''}")
    follow_up(store, cfg.study.name, cfg.tracking)


def _stop(*_: object) -> None:
    # the way launchers know to end their workers; a SIGTERM alone would leave them running
    raise KeyboardInterrupt


def _complain(text: str) -> int:
    print(f"harness: {text}", file=sys.stderr)
    return 2
