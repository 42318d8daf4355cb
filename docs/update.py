"""Put what first light and the benchmark say into the README and docs/: figures in the documentation are not typed.

Run by `make docs`, from the root of the clone, after the study and the benchmark.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
STUDY = ROOT / "results" / "studies" / "first_light"
SHOWN = ROOT / "docs" / "first_light"
FIGURES = ("survival.png", "loss.png", "hinton_symmetry.png")


def blocks() -> dict[str, str]:
    """What stands between `<!-- name -->` and `<!-- end -->` in the README."""
    table = (SHOWN / "table.md").read_text(encoding="utf-8")
    return {
        "first light": re.sub(r"^#+ (.*)$", r"**\1**", table, flags=re.M).strip(),
        "benchmark": (ROOT / "bench" / "RESULTS.md").read_text(encoding="utf-8").strip(),
    }


def filled(readme: str) -> str:
    """The README with its blocks up to date."""
    for name, text in blocks().items():
        readme = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m, text=text: f"{m[1]}{text}\n{m[2]}", readme, flags=re.S
        )
    return readme


if __name__ == "__main__":
    SHOWN.mkdir(exist_ok=True)
    for name in ("table.md", *FIGURES):
        shutil.copy(STUDY / name, SHOWN / name)
    path = ROOT / "README.md"
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
