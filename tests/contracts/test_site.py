"""Held to the site as it is read: built strictly, opened in a browser as a folder of files, without a
network; and its reference to what the code says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import harness
from harness import plots, results
from helpers.browser import seen_in
from helpers.repository import ROOT, load

SHOWN = ("tutorial", "how-to/compare", "reference/command-line", "results", "tuned/table")
"""Pages of each kind; all others are opened by the slow form."""
OTHERS = ("404.html", "opened.html")
LOADED = re.compile(
    r"<(?:script|img|iframe|source)[^>]* src=[\"']?([^\"' >]+)|<link[^>]* href=[\"']?([^\"' >]+)"
)
needs_mkdocs = pytest.mark.skipif(
    find_spec("material") is None, reason="mkdocs-material is not installed: pip install -e '.[site]'"
)


def built(root: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """mkdocs on the docs/ of a folder, told to be strict; if it is to be quiet, it counts no warnings."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(into)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from the pages as they are."""
    into = tmp_path_factory.mktemp("site")
    done = built(ROOT, into)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return into


def pages(site: Path) -> list[str]:
    """Every page; neither the one that a server gives for what is not there, nor what a browser left."""
    found = (path.relative_to(site) for path in site.rglob("*.html"))
    return sorted(str(path)[:-5] for path in found if path.name not in OTHERS and "browser" not in path.parts)


@needs_mkdocs
def test_every_page_of_docs_is_in_the_navigation(site: Path) -> None:
    written = {str(path.relative_to(ROOT / "docs"))[:-3] for path in (ROOT / "docs").rglob("*.md")}
    assert written == set(pages(site))
    home = (site / "index.html").read_text(encoding="utf-8")
    for name in written - {"tuned/answers"}:  # a part of the home page
        assert f'href="{name}.html"' in home, name


@needs_mkdocs
def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    """Of every kind: planted in a site that is built without them, and each told."""
    planted = {
        "nowhere.md": "[there](nowhere.md)",
        "design.md#no-such-heading": "[there](design.md#no-such-heading)",
        "nowhere.png": "![there](nowhere.png)",
        "../algorithms/nowhere.py": "[there](../algorithms/nowhere.py)",
        "/design.md": "[there](/design.md)",
    }
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "site_hooks.py", tmp_path / "docs")
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[0]
    (tmp_path / "mkdocs.yml").write_text(config, encoding="utf-8")
    (tmp_path / "docs" / "design.md").write_text("# The house\n\n## Words\n", encoding="utf-8")
    home = "# Home\n\n[the house](design.md#words)\n"
    (tmp_path / "docs" / "index.md").write_text(home, encoding="utf-8")
    whole = built(tmp_path, tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    (tmp_path / "docs" / "index.md").write_text("\n\n".join([home, *planted.values()]), encoding="utf-8")
    broken = built(tmp_path, tmp_path / "broken")
    assert broken.returncode != 0
    warnings = [line for line in broken.stderr.splitlines() if line.startswith("WARNING")]
    assert len(warnings) == len(planted)
    for link in planted:
        assert sum(f"'{link}'" in line for line in warnings) == 1, link


@needs_mkdocs
def test_no_page_asks_another_machine_for_anything(site: Path) -> None:
    """Scripts, pictures, fonts and styles are files of the site, those that styles name too."""
    for path in (*(site / f"{name}.html" for name in pages(site)), *(site / "assets").rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        found = [a or b for a, b in LOADED.findall(text)] + re.findall(r"url\(([^)]+)\)", text)
        assert [each for each in found if re.match(r"[\"']?(https?:)?//", each)] == [], path.name
        for each in found if path.suffix == ".html" else ():
            if not each.startswith(("data:", "#")):
                assert (path.parent / each.partition("#")[0].partition("?")[0]).exists(), (path.name, each)


@needs_mkdocs
def test_what_leaves_docs_is_a_path_of_the_repository(site: Path) -> None:
    for name in pages(site):
        text = (site / f"{name}.html").read_text(encoding="utf-8")
        for href in re.findall(r'href="([^"#?:]+)', text):
            assert (site / f"{name}.html").parent.joinpath(href).resolve().is_relative_to(site), (name, href)
    assert "<code>analysis/tuned.ipynb</code>" in (site / "results.html").read_text(encoding="utf-8")


@needs_mkdocs
@pytest.mark.parametrize("name", SHOWN)
def test_a_page_opens_without_an_error(name: str, site: Path) -> None:
    opened(name, site)


@needs_mkdocs
@pytest.mark.slow
def test_every_page_opens_without_an_error(site: Path) -> None:
    for name in pages(site):
        opened(name, site)


def opened(name: str, site: Path) -> None:
    """A page in a browser: no error, all pictures there, nothing beyond the window or from elsewhere."""
    seen, errors = seen_in(site / f"{name}.html", WIDE)
    assert errors == []
    assert seen["broken"] == []
    assert seen["wide"] <= seen["window"], name
    assert [url for url in seen["asked"] if not url.startswith("file:")] == []


WIDE = """
  const pictures = [...document.images].map(image => { image.loading = "eager"; return image; });
  return {
    broken: pictures.filter(image => image.complete && !image.naturalWidth).map(image => image.src),
    wide: document.documentElement.scrollWidth, window: innerWidth,
    asked: performance.getEntriesByType("resource").map(entry => entry.name),
  };
"""


@needs_mkdocs
def test_the_search_finds_an_option_in_a_folder_of_files(site: Path) -> None:
    """As somebody types it; there is no server, and so no worker."""
    found, errors = seen_in(site / "index.html", SEARCH)
    assert errors == []
    assert any(re.search(r"reference/command-line\.html(\?.*)?#runprobe_draws$", link) for link in found)


SEARCH = """
  document.querySelector("[data-md-toggle=search]").click();
  const query = document.querySelector("input.md-search__input");
  query.focus();
  query.value = "probe_draws";
  query.dispatchEvent(new Event("keyup", {bubbles: true}));
  for (let i = 0; i < 100 && !document.querySelector(".md-search-result__link"); i++)
    await new Promise(done => setTimeout(done, 30));
  return [...document.querySelectorAll(".md-search-result__link")].map(link => link.href);
"""


@needs_mkdocs
def test_every_setting_has_an_anchor(site: Path) -> None:
    text = (site / "algorithms.html").read_text(encoding="utf-8")
    for anchor in ("spsa.a", "feedback_alignment.spread", "adam.beta1"):
        assert text.count(f'id="{anchor}"') == 1, anchor
    assert 'id="digits.layout"' in (site / "tasks.html").read_text(encoding="utf-8")
    assert 'id="runprobe_draws"' in (site / "reference" / "command-line.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["command-line", "python", "parts", "figures"])
def test_the_reference_is_what_the_code_says(name: str) -> None:
    page = (ROOT / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")
    assert load("docs_reference", ROOT / "docs" / "reference.py").PAGES[name]() == page, (
        "run python docs/reference.py"
    )


def test_the_reference_has_every_name_of_the_face() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").glob("*.md"))
    names = {*harness.__all__, *results.__all__} - {"plots", "results", "KEYS"}
    names |= {name for name in plots.__all__ if name.endswith("_figure")}
    assert [name for name in names if not re.search(rf"^(#+ {name}|- `{name}`:.*)$", text, re.M)] == []
