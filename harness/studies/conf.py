"""Where the configuration lives, and how Hydra reads it."""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from harness.core.folders import configuration

CONF = str(configuration())

_HYDRA = tuple(map(int, version("hydra-core").split(".")[:2]))
# what Hydra 1.3 does if asked to is all that 1.4 does, which warns if it is asked
VERSION_BASE = {} if _HYDRA >= (1, 4) else {"version_base": "1.3"}


def described(group: str) -> Iterator[tuple[str, str]]:
    """Names of a group's YAML files and the first comment in each that is not a directive."""
    folder = Path(CONF) / group
    for path in sorted(folder.rglob("*.yaml")):
        comments = (
            line[1:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")
        )
        yield (
            str(path.relative_to(folder).with_suffix("")),
            next((c for c in comments if not c.startswith("@")), ""),
        )
