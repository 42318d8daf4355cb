"""Turn notebooks in text (analysis/*.py, jupytext's py:percent) into
executed ones beside them, which GitHub shows.

    python analysis/execute.py [name …] [--into FOLDER]     # all, or those named; `make notebooks`

They read the store at HARNESS_STORE, else ./results. Written is what does not change from one execution to
the next, on any machine: no times, no versions of the kernel, no paths; a warning, or anything on standard
error, is an error.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import copy
import io
import os
import re
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from PIL import Image

ROOT = Path(__file__).parent.parent
HERE = Path(__file__).parent
TOGETHER = 2  # kernels at once
SECONDS = 600  # a cell
KEPT = ("tags", "title")  # of a cell's metadata
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
STRICT = (
    "import warnings; warnings.simplefilter('error'); warnings.filterwarnings('ignore', module='ipykernel'); "
    "warnings.filterwarnings('ignore', 'There is no current event loop')"  # of its event loop, on Python 3.13
)
PLACES = re.compile(r"(?<![\w./])/(?:home|Users|root|tmp|private|var|usr|opt|work|mnt|builds)/[^\s'\"<]*")


class NotebookError(Exception):
    """A notebook cannot be executed as it is; the message says which, and why."""


def sources(names: Sequence[str] = ()) -> list[Path]:
    """The notebooks in text, all or those named. Raises `NotebookError` for a name there is not."""
    known = {path.stem: path for path in sorted(HERE.glob("*.py")) if path != Path(__file__)}
    for name in names:
        if name not in known:
            raise NotebookError(f"there is no notebook {name!r}: allowed are {', '.join(known)}")
    return [known[name] for name in names or known]


def unexecuted(source: Path) -> NotebookNode:
    """The notebook that a text is, without outputs; its cells are numbered, so that ids stay as they are."""
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(KERNEL)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for i, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{i}"
        cell.metadata = _kept(cell)
    return notebook


async def executed(source: Path, store: str | Path) -> NotebookNode:
    """The notebook with what it shows when it reads `store`.

    Raises `NotebookError` for an error, a warning or a path.
    """
    notebook = unexecuted(source)
    arguments = [f"--IPKernelApp.exec_lines={STRICT}", "--HistoryManager.enabled=False"]
    with tempfile.TemporaryDirectory() as own:  # nobody's start-up files or styles
        env = os.environ | {
            "HARNESS_STORE": str(Path(store).absolute()),
            "IPYTHONDIR": own,
            "PYTHONPATH": str(ROOT),
        }
        env |= {"MATPLOTLIBRC": os.devnull, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        # over sockets in that folder: nothing listens on a port
        kernel = AsyncKernelManager(
            kernel_name="python3", transport="ipc", connection_file=str(Path(own, "kernel.json"))
        )
        client = NotebookClient(
            copy.deepcopy(notebook),
            km=kernel,
            timeout=SECONDS,
            resources={"metadata": {"path": str(ROOT)}},
            record_timing=False,
            extra_arguments=arguments,
        )
        try:
            done = await client.async_execute(cleanup_kc=True, env=env)  # it is our kernel
        except CellExecutionError as error:
            raise NotebookError(f"{source.stem}: {error.ename}: {error.evalue}") from error
    for cell, ran in zip(notebook.cells, done.cells, strict=True):
        if cell.cell_type == "code":
            # what is empty is where a bar was, if it took that long
            cell.outputs = [_plain(output) for output in ran.outputs if output.get("data") != {}]
            cell.execution_count = ran.execution_count
    _check(source.stem, notebook)
    nbformat.validate(notebook)
    return notebook


def said(notebook: NotebookNode) -> Iterator[str]:
    """All text in a notebook: sources, and outputs but pictures."""
    for cell in notebook.cells:
        yield cell.source
        for output in cell.get("outputs", []):
            yield output.get("text", "")
            yield from (
                str(value) for kind, value in output.get("data", {}).items() if not kind.startswith("image/")
            )


def machine(notebook: NotebookNode) -> list[str]:
    """What in a notebook tells of the machine it was executed on:
    absolute paths, and the name of the host.
    """
    host = socket.gethostname()
    text = "\n".join(said(notebook))
    telling = PLACES.findall(text) + [
        place for place in (str(ROOT), tempfile.gettempdir(), sys.prefix) if place in text
    ]
    return telling + (
        [host] if len(host) > 3 and host != "localhost" and re.search(rf"\b{re.escape(host)}\b", text) else []
    )


def _check(name: str, notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise NotebookError(f"{name}: on standard error: {output.text.strip()}")
    if telling := machine(notebook):
        raise NotebookError(f"{name}: tells of this machine: {', '.join(telling)}")


def _plain(output: NotebookNode) -> NotebookNode:
    """An output with its telling form alone:
    a picture is not also `<Figure size …>`, a table not also text.
    """
    if len(output.get("data", {})) > 1:
        output.data.pop("text/plain", None)
    if "image/png" in output.get("data", {}):
        output.data["image/png"] = _light(output.data["image/png"])
    if "metadata" in output:
        output.metadata = nbformat.from_dict({})
    return output


def _light(picture: str) -> str:
    """A PNG in base64 with the 256 colours that it needs most:
    a third of the bytes, and to the eye the same.
    """
    small = io.BytesIO()
    whole = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    whole.quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def _kept(cell: NotebookNode) -> NotebookNode:
    return nbformat.from_dict({name: cell.metadata[name] for name in KEPT if name in cell.metadata})


async def _all(paths: Sequence[Path], store: str, into: Path) -> list[str]:
    """Execute and write them; a sentence for each that failed."""
    turns, trouble = asyncio.Semaphore(TOGETHER), []

    async def one(path: Path) -> None:
        async with turns:
            try:
                notebook = await executed(path, store)
            except NotebookError as error:
                trouble.append(str(error))
                return
            target = into / f"{path.stem}.ipynb"
            nbformat.write(notebook, target)
            print(os.path.relpath(target))

    await asyncio.gather(*map(one, paths))
    return trouble


def main(arguments: Any = None) -> None:
    """Execute and write; exit code 1 if one failed, 2 for a name there is not."""
    parser = argparse.ArgumentParser(description="Execute the notebooks in analysis/.")
    parser.add_argument("name", nargs="*", help="those to execute; all, unless given")
    parser.add_argument(
        "--into", type=Path, default=HERE, help="where to write them; beside their text, unless given"
    )
    given = parser.parse_args(arguments)
    try:
        paths = sources(given.name)
    except NotebookError as error:
        print(f"execute: {error}", file=sys.stderr)
        sys.exit(2)
    trouble = asyncio.run(_all(paths, os.environ.get("HARNESS_STORE") or str(ROOT / "results"), given.into))
    for sentence in trouble:
        print(f"execute: {sentence}", file=sys.stderr)
    if trouble:
        sys.exit(1)


if __name__ == "__main__":
    main()
