"""A progress bar for whoever is watching: in a terminal or a notebook, after half a second of patience.

    with bar("xor backprop", total=5000) as at:
        at.done = 1200

The work only sets numbers; a thread of the bar's own draws them, so that a slow epoch delays nothing, and the
loop is not slowed. Nobody watches where stderr is no terminal: there nothing is imported, and nothing shown.
When the work is over the bar vanishes, from a notebook's outputs, too.
"""

from __future__ import annotations

import builtins
import contextvars
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from multiprocessing import parent_process
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from harness.core.errors import InputError

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 0.5  # seconds before a bar appears: short work needs none
EVERY = 0.2  # seconds between two looks at how far it is
WIDTH = 100  # letters in a notebook


@dataclass
class Bar:
    """How far some work is, set by the work itself."""

    title: str
    total: float
    done: float = 0.0
    note: str = ""
    begun: float = field(default_factory=monotonic)
    seconds_left: float | None = None
    """Where the work knows better than that it goes on as it went."""

    @property
    def left(self) -> str:
        """The time left, in words."""
        if self.seconds_left is not None:
            return in_words(self.seconds_left)
        return time_left(monotonic() - self.begun, self.done, self.total - self.done)


@contextmanager
def bar(title: str, total: float, *, shown: bool = True, stays: bool = False) -> Iterator[Bar]:
    """A bar over the work inside the block, which moves it by `done`, `title` and `note`.

    Args:
        title: what is at work.
        total: what `done` will be at the end, or at most.
        shown: False for no bar, whoever is watching.
        stays: whether a terminal keeps it as it was at the end.
    """
    at = Bar(title, total)
    if not (shown and watched()):
        yield at
        return
    over = Event()
    # in the caller's context, by which a notebook knows the cell that the bar belongs to
    drawing = Thread(target=contextvars.copy_context().run, args=(_show, at, over, stays), daemon=True)
    drawing.start()
    try:
        yield at
    finally:
        over.set()
        drawing.join()


def watched() -> bool:
    """Whether somebody may be looking: the other end of stderr is a terminal, or IPython's shell is around.

    A worker shares its parent's terminal, and would draw over the parent's bar.
    """
    isatty = getattr(sys.stderr, "isatty", None)
    return parent_process() is None and (hasattr(builtins, "get_ipython") or bool(isatty and isatty()))


def check_progress(progress: object) -> None:
    """Raise `InputError` unless `progress` is True or False."""
    if not isinstance(progress, bool):
        raise InputError(f"progress must be True or False, but {progress!r} was given")


def time_left(seconds: float, done: float, waiting: float) -> str:
    """In words, if the work that is waiting goes as fast as what was `done` in so many seconds."""
    return in_words(seconds * waiting / done) if waiting > 0 and done else ""


def in_words(seconds: float) -> str:
    """So many seconds that are left."""
    minutes = math.ceil(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if minutes <= 1:
        return "under 1 min left"
    return f"about {hours} h {rest} min left" if hours else f"about {rest} min left"


def _show(at: Bar, over: Event, stays: bool) -> None:
    """Draw the bar until the work is over, if that is not soon."""
    if over.wait(PATIENCE):
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    said = ("description", "fields[note]", "fields[left]")
    title, note, left = (TextColumn(f"{{task.{name}}}", markup=False) for name in said)
    columns = (title, BarColumn(), TaskProgressColumn(), note, TimeElapsedColumn(), left)
    console = Console(stderr=True)
    progress = Progress(*columns, console=console, auto_refresh=False, transient=not stays)
    task = progress.add_task(at.title, total=at.total, note="", left="")
    progress.tasks[0].start_time = at.begun
    if not (console.is_jupyter or console.is_terminal):
        return
    with (_in_a_notebook if console.is_jupyter else _in_a_terminal)(progress) as draw:
        ended = False
        while not ended:
            ended = over.is_set()  # before the last look, which is at the end
            progress.update(task, completed=at.done, description=at.title, note=at.note, left=at.left)
            draw()
            over.wait(EVERY)


@contextmanager
def _in_a_terminal(progress: Progress) -> Iterator[Callable[[], None]]:
    """What draws the bar below all that is printed."""
    with progress:
        yield progress.refresh


@contextmanager
def _in_a_notebook(progress: Progress) -> Iterator[Callable[[], None]]:
    """What draws the bar in a place of its own among a cell's outputs, which is empty at the end.

    Rich's own way asks for ipywidgets, and leaves a widget in the file.
    """
    from IPython.display import display
    from rich.console import Console

    place: Any = None

    def draw() -> None:
        nonlocal place
        page = Console(file=StringIO(), record=True, force_jupyter=False, width=WIDTH)
        page.print(progress.get_renderable())
        shown = {"text/html": page.export_html(inline_styles=True, code_format="<pre>{code}</pre>")}
        if place is None:
            place = display(shown, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            place.update(shown, raw=True)

    try:
        yield draw
    finally:
        if place is not None:
            place.update({}, raw=True)
