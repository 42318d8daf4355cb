"""The code blocks of a page, run in their order in a clone of its own, as a reader follows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from helpers.commands import Done, commands
from helpers.repository import ROOT

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
LINKED = ("harness", "hydra_plugins")


class Block(NamedTuple):
    """A block, with the word behind its fence ('' if there is none)."""

    language: str
    text: str

    @property
    def file(self) -> str:
        """What it is to be saved as, where its first line says so, or it is the README's rule; else ''."""
        found = re.match(r"# (\S+\.(?:py|yaml))\n", self.text)
        return found[1] if found else "algorithms/partial_transport.py" * ("PartialTransport(" in self.text)

    @property
    def lines(self) -> list[str]:
        """Its commands, without what is said about them."""
        return [line for each in self.text.splitlines() if (line := re.sub(r"\s{2,}#.*", "", each).strip())]


def blocks(page: str) -> list[Block]:
    """Those of a page of the repository, in their order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(language, re.sub(rf"^{indent}", "", of, flags=re.M))
        for indent, language, of in FENCE.findall(text)
    ]


def clone(folder: Path) -> Path:
    """A folder that commands find as they find the repository, to which rules and studies can be added."""
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    for path in (*(ROOT / "algorithms").glob("*.py"), *(ROOT / "conf").rglob("*.yaml")):
        own = folder / path.relative_to(ROOT)
        own.parent.mkdir(parents=True, exist_ok=True)
        own.symlink_to(path)
    return folder


def followed(pages: Sequence[str], folder: Path, said: Callable[[str], str]) -> dict[str, list[Done]]:
    """What comes of all blocks of pages in one clone and one process: files are saved, the rest is run.

    Every page has a store of its own, so that none reads what another left. `said` gives what is run in the
    place of a command: '' for nothing.
    """
    given = {page: _steps(page, folder, said) for page in pages}
    lines = [
        line
        for i, steps in enumerate(given.values())
        for line in (f"export HARNESS_STORE={folder / f'store_{i}'}", "export HARNESS_PLUGINS=", *steps)
    ]
    done = iter(commands(folder, *lines, path=[folder]))
    return {
        page: [next(done) for line in steps if not line.startswith("export")] for page, steps in given.items()
    }


def _steps(page: str, folder: Path, said: Callable[[str], str]) -> list[str]:
    """The commands of a page, once its files are saved."""
    steps: list[str] = []
    for i, block in enumerate(blocks(page)):
        file = block.file or f"{Path(page).stem.replace('-', '_')}_{i}.py"
        if block.file or block.language == "python":
            assert not (folder / file).exists(), f"{page}: another page has a file {file}"
            (folder / file).write_text(block.text, encoding="utf-8")
        if block.language == "sh":
            steps += filter(None, map(said, block.lines))
        elif block.language == "python" and not block.file:
            steps.append(f"python {file}")
    return steps
