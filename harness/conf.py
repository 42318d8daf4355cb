"""Where the configuration lives: beside the package in a clone, inside it in an installed wheel."""

from pathlib import Path

_PACKAGED = Path(__file__).parent / "conf"
CONF = str(_PACKAGED if _PACKAGED.is_dir() else Path(__file__).parent.parent / "conf")
