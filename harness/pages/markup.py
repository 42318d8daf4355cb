"""HTML as pages are made of it: text escaped, tables, and the page around both with its style inside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

import harness

HERE = Path(__file__).parent
WORD = ' class="word"'  # set as words are, not as numbers
SERVED = "http://127.0.0.1:5000"
"""Where `python -m harness.dashboard` usually serves pages and MLflow."""


@cache
def beside(name: str) -> str:
    """The text of a file of this room."""
    return (HERE / name).read_text(encoding="utf-8").strip()


def page(title: str, body: Iterable[str], *, made_of: str = "", script: str = "") -> str:
    """A whole page. `title` is plain text; body and script are markup, and go in as they are."""
    about = f'<meta name="made-of" content="{made_of}">\n' if made_of else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{about}<title>{escape(title)}</title>\n<style>\n{beside('page.css')}\n</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + (f"\n<script>\n{script}\n</script>" if script else "")
        + f'\n<p class="dim">Written by harness {escape(harness.__version__)}.</p>\n</body>\n</html>\n'
    )


def link(target: str, text: str) -> str:
    """A link; both are plain text."""
    return f'<a href="{escape(target)}">{escape(text)}</a>'


def in_mlflow(target: str, text: str) -> str:
    """A link into MLflow, and when it leads there; plain text."""
    while_served = ", while python -m harness.dashboard runs" if target.startswith(SERVED) else ""
    return f"<p>{link(target, text)}{while_served}.</p>"


def element(name: str, text: str, of: str = "") -> str:
    """An element around plain text, of a class if one is given."""
    kind = f' class="{of}"' if of else ""
    return f"<{name}{kind}>{escape(text)}</{name}>"


def breaking(text: str) -> str:
    """Plain text that may be broken after an underscore, as names of rules are."""
    return escape(text).replace("_", "_<wbr>")


def code(text: str) -> str:
    """A block of what is typed or printed."""
    return f"<pre><code>{escape(text)}</code></pre>"


def bullets(sentences: Iterable[str]) -> str:
    """A list of sentences, plain text."""
    return "<ul>\n" + "\n".join(element("li", sentence) for sentence in sentences) + "\n</ul>"


class Entry(NamedTuple):
    """What stands in a table."""

    text: str
    small: str = ""
    """Below it, its interval."""
    value: float = math.nan
    """What it is sorted by; NaN where there is none."""

    def markup(self, word: bool = False) -> str:
        """The element, set as a number or as a `word`; what it is sorted by is its `data-v`."""
        by = WORD if word else "" if math.isnan(self.value) else f' data-v="{float(self.value)!r}"'
        return f"<td{by}>{breaking(self.text)}{element('small', self.small) if self.small else ''}</td>"


def pairs(caption: str, values: Mapping[str, str]) -> str:
    """A table of names and values, plain text."""
    rows = (
        f'<tr><th class="word" scope="row">{escape(name)}</th><td class="word">{escape(value)}</td></tr>'
        for name, value in values.items()
    )
    return f"<table>\n{element('caption', caption)}\n" + "\n".join(rows) + "\n</table>" if values else ""


def grid(header: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """A table of numbers below a header, a name before each row; plain text."""
    head = "".join(f'<th scope="col"{"" if i else WORD}>{escape(name)}</th>' for i, name in enumerate(header))
    lines = (
        f'<tr><th class="word" scope="row">{escape(name)}</th>'
        + "".join(element("td", text) for text in texts)
        + "</tr>"
        for name, texts in rows.items()
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(lines) + "\n</tbody></table>"
