"""Where the configuration lives: beside the package in a clone, inside it in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).parent.parent
_PACKAGED = _PACKAGE / "conf"
CONF = str(_PACKAGED if _PACKAGED.is_dir() else _PACKAGE.parent / "conf")
