"""What the site does to pages that are also read as they are: links that leave docs/, anchors of settings.

mkdocs calls both functions, page by page (`hooks` in mkdocs.yml).
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

LOG = logging.getLogger("mkdocs.hooks.site")  # strict: a warning fails the build
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((\.\./[^)#\s]*)\)")
HEADING_OR_SETTING = re.compile(r'<h[23] id="([^"]+)"|<li>(<code>(\w+)</code>) = ')


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """A link to a file of the repository that is no page, like a notebook, becomes its path: the site knows
    no address at which the rest of the repository is. One to a file that is not there is a warning.
    """
    pages = Path(config.docs_dir)
    root = pages.parent

    def said(link: re.Match[str]) -> str:
        text, target = link[1], (pages / page.file.src_uri).parent / link[2]
        target = target.resolve()
        if target.is_relative_to(pages.resolve()) or not target.is_relative_to(root.resolve()):
            return link[0]
        if not target.exists():
            LOG.warning(
                "Doc file '%s' contains a link '%s', but there is no such file", page.file.src_uri, link[2]
            )
        path = str(target.relative_to(root.resolve()))
        return f"`{path}`" if text.strip("`/") == path else f"{text} (`{path}`)"

    return LINK.sub(said, markdown)


def on_page_content(html: str, *, page: Any, config: Any, files: Any) -> str:
    """Every setting in a list of settings gets an anchor: `algorithms.html#spsa.c`."""
    if page.file.src_uri not in ("algorithms.md", "tasks.md"):
        return html
    under = ""

    def anchored(found: re.Match[str]) -> str:
        nonlocal under
        if found[1]:
            under = found[1]
            return found[0]
        anchor = f"{under}.{found[3]}"
        return f'<li id="{anchor}"><a class="setting" href="#{anchor}">{found[2]}</a> = '

    return HEADING_OR_SETTING.sub(anchored, html)
