"""`python -m harness.catalog`: what there is, one line each. Reads names and first lines, imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness import registry
from harness.conf import CONF
from harness.registry import first_line


def main() -> None:
    """Print algorithms, tasks, presets and studies."""
    sections = (
        ("algorithms", "algorithm=…", ((name, first_line(cls)) for name, cls in registry.algorithms().items())),
        ("tasks", "task=…", ((name, first_line(cls)) for name, cls in registry.tasks().items())),
        ("presets", "experiment=…", described("experiment")),
        ("studies", "-m study=…", described("study")),
    )
    for title, use, entries in sections:
        print(f"{title} ({use})")
        rows = list(entries)
        width = max((len(name) for name, _ in rows), default=0)
        for name, line in rows:
            print(f"  {name:{width}}  {line}")
        print()
    for module, error in registry.broken.items():
        print(f"not loaded: {module}: {error}")


def described(group: str) -> Iterator[tuple[str, str]]:
    """Names of a group's YAML files and the first comment in each that is not a directive."""
    folder = Path(CONF) / group
    for path in sorted(folder.rglob("*.yaml")):
        comments = (line[1:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
        yield str(path.relative_to(folder).with_suffix("")), next((c for c in comments if not c.startswith("@")), "")


if __name__ == "__main__":
    main()
