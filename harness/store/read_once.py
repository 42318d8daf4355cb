"""A store whose records are read once, for a command that looks at the same ones several times."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.store.record import Record
from harness.store.store import Store


@dataclass(frozen=True)
class ReadOnce(Store):
    """Keeps what it has read for as long as it lives: for the end of a study, when all that is asked for is
    there. A record that comes later is found; one that is made anew meanwhile is not noticed.
    """

    known: dict[str, Record] = field(default_factory=dict, compare=False, repr=False)

    def read(self, i: str) -> Record:
        """The record of a finished cell; raises `InputError` if there is none."""
        if i not in self.known:
            self.known[i] = super().read(i)
        return self.known[i]
