"""Where the configuration lives, beside the package in a clone,
inside it in an installed wheel; and how Hydra reads it.
"""

from importlib.metadata import version
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent
_PACKAGED = _PACKAGE / "conf"
CONF = str(_PACKAGED if _PACKAGED.is_dir() else _PACKAGE.parent / "conf")

_HYDRA = tuple(map(int, version("hydra-core").split(".")[:2]))
# what Hydra 1.3 does if asked to is all that 1.4 does, which warns if it is asked
VERSION_BASE = {} if _HYDRA >= (1, 4) else {"version_base": "1.3"}
