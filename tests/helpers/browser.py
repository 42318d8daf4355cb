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


def seen_in(page: Path, script: str) -> tuple[Any, list[str]]:
    """What a script that runs in an opened page returns (it may await), and all errors of the page: of its
    scripts, of what it loads, and of the console. Skips the test where no Chromium is found.
    """
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        pytest.skip(f"no page is opened: there is no {', '.join(NAMES)} on the path")
    text = page.read_text(encoding="utf-8")
    beside = page.with_name("opened.html")
    beside.write_text(
        text.replace("<head>", f"<head>{FIRST}", 1).replace("</body>", f"{LAST % script}</body>", 1),
        encoding="utf-8",
    )
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    own = [
        f"--user-data-dir={page.parent / 'browser'}",
        "--enable-logging=stderr",
        "--virtual-time-budget=5000",
    ]
    command = [browser, *flags, *own, "--dump-dom", beside.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:]
    told = json.loads(unescape(found[1]))
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return told["seen"], told["errors"] + console
