"""What a browser makes of a page: headless Chromium, where there is one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FIRST = """<script>
const errors = [];
addEventListener("error", event => errors.push(event.message || `not loaded: ${event.target.src}`), true);
</script>"""
LAST = """<script>
addEventListener("load", async () => {
  const seen = await (async () => { %s })();
  const told = document.createElement("pre");
  told.id = "told";
  told.textContent = JSON.stringify({seen, errors});
  document.body.append(told);
});
</script>"""


def seen_in(page: Path, script: str, at: str = "") -> tuple[Any, list[str]]:
    """What a script that runs in an opened page returns (it may await), and all errors of the page: of its
    scripts, of what it loads, and of the console. Skips the test where no Chromium is found.

    `at` is the address at which the page's folder is served; without one the file itself is opened.
    """
    text = page.read_text(encoding="utf-8")
    beside = page.with_name("opened.html")
    beside.write_text(
        text.replace("<head>", f"<head>{FIRST}", 1).replace("</body>", f"{LAST % script}</body>", 1),
        encoding="utf-8",
    )
    dom, console = opened(f"{at}/{beside.name}" if at else beside.as_uri(), page.parent / "browser")
    found = re.search(r'<pre id="told">(.*?)</pre>', dom, re.DOTALL)
    assert found, dom[-2000:]
    told = json.loads(unescape(found[1]))
    return told["seen"], told["errors"] + console


def opened(address: str, profile: Path, seconds: int = 5, width: int = 800) -> tuple[str, list[str]]:
    """What a page has become after so many seconds in a window so many pixels wide, as HTML, and what its
    console says.
    """
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        pytest.skip(f"no page is opened: there is no {', '.join(NAMES)} on the path")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    own = [
        f"--user-data-dir={profile}",
        "--enable-logging=stderr",
        f"--virtual-time-budget={1000 * seconds}",
        f"--window-size={width},{3 * width // 4}",
    ]
    command = [browser, *flags, *own, "--dump-dom", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]
