"""What MLflow is told in words: what runs are called, and what runs and experiments are, in Markdown.

The same records and answers give the same words, however often they are sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from harness.cells.command import command
from harness.cells.labels import titles
from harness.cells.words import in_brackets, unusual
from harness.core.errors import InputError
from harness.experiment.digits import number
from harness.experiment.summary import Summary, median_text, rate_text
from harness.store.said import Said, kept
from harness.store.store import Store

LENGTH = 5000  # characters of a description; MLflow refuses longer tags than it likes
SERVED = ", while `python -m harness.dashboard` runs."


def names(metas: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What the runs of a study are called, by cell: what its table calls them, so that no two are alike."""
    return {meta["id"]: title for meta, title in zip(metas, titles(metas), strict=True)}


def page_path(study: str, cell: str = "") -> str:
    """Where the dashboard serves the page of a study, or of one of its cells, beside MLflow."""
    return f"/studies/{study}/cells/{cell}.html" if cell else f"/studies/{study}/index.html"


def of_study(store: Store, study: str, *, served: bool) -> str:
    """What an experiment is: the study's question, the answers, and the command that makes it again.

    Args:
        store: where the study is kept.
        study: its name.
        served: whether the dashboard serves the experiment, and the study's page beside it.
    """
    answers, made = kept(store, study) or Said()
    parts = [_plain(store.study(study)["question"]), "\n".join(f"- {_plain(each)}" for each in answers)]
    if served:
        parts.append(f"[The page of this study]({page_path(study)}){SERVED}")
    if made:
        parts.append(f"Made again by\n\n{_block(made)}")
    return "\n\n".join(filter(None, parts))[:LENGTH]


def of_run(meta: Mapping[str, Any], summary: Summary | None, study: str, *, served: bool) -> str:
    """What a run is: whose, what came of it in a sentence, and the command that runs it again.

    Args:
        meta: the cell's metadata (`Record.meta`).
        summary: its numbers; None where there are none.
        study: the name of its study.
        served: as in `of_study`.
    """
    parts = [_plain(outcome(meta, summary))]
    if served:
        parts.append(f"[The page of this cell]({page_path(study, meta['id'])}){SERVED}")
    with suppress(InputError):  # its algorithm or task is of a session, or of a plug-in unknown here
        parts.append(f"Run again by\n\n{_block(command(meta))}")
    return "\n\n".join(parts)[:LENGTH]


def outcome(meta: Mapping[str, Any], summary: Summary | None) -> str:
    """What a cell is and what came of it, in a sentence."""
    of = f"{meta['algorithm']['name']} on {_task(json.dumps(meta['task']))}"
    if summary is None:
        return f"{of}: {meta['status']}: {meta['reason'].rstrip('.')}."
    s = summary
    price = (
        f"; {median_text(s)} epochs to the criterion in the median, "
        f"expected running time {number(s.ert_epochs)} epochs"
    )
    return (
        f"{of}, {number(s.replicas)} replicas, seed {meta['run']['seed']}: {number(s.solved)} solved "
        f"({rate_text(s)}), {number(s.unsolved)} unsolved, {number(s.diverged)} diverged"
        f"{price if s.solved else ''}."
    )


@cache
def _task(text: str) -> str:
    """A task with the settings in which it is not its usual self: of a thousand runs few are of different
    tasks, and each takes a millisecond.
    """
    task = json.loads(text)
    return in_brackets(task["name"], unusual(task))


def _plain(text: str) -> str:
    """Text that is not taken for a tag of HTML."""
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)


def _block(typed: str) -> str:
    return f"```sh\n{typed}\n```"
