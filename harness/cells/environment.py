"""Where a result was made: the versions and the machine that a record notes, and that its key does not hold."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

import harness


@cache
def environment() -> dict[str, str]:
    """The versions a result was made with, and the code that NumPy runs on this machine's processor.

    `blas` is NumPy's library of linear algebra, its version and the kernel it chose for this processor; `simd` is the
    highest level of vector instructions that NumPy's own loops use. Both decide the last bits of sums and products.
    """
    return {
        "harness": harness.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "blas": _blas(),
        "simd": _simd(),
    }


def made_elsewhere(versions: Mapping[str, str]) -> str:
    """A clause on a record (its `versions`) that was made with another kernel or vector level than this process has.

    Empty where they are the same, and for records of before, which do not know theirs.
    """
    here = environment()
    differing = [part for part in ("blas", "simd") if versions.get(part, here[part]) != here[part]]
    if not differing:
        return ""
    there, now = (" and ".join(where[part] for part in differing) for where in (versions, here))
    return f"made with {there}, here it is {now}: the same cell run here may have other last bits"


def _blas() -> str:
    """`openblas 0.3.31 Haswell`: the library that NumPy itself has loaded, for SciPy brings another."""
    from threadpoolctl import threadpool_info

    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    if not found:  # a library that threadpoolctl does not know, such as macOS's Accelerate
        about = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{about['name']} {about['version']}"
    beside = Path(np.__file__).parent.parent
    own = [
        library for library in found if Path(library["filepath"]).parent in (beside / "numpy.libs", beside / "numpy" / ".dylibs")
    ]
    library = (own or found)[0]
    return " ".join(str(library.get(part) or "") for part in ("internal_api", "version", "architecture")).strip()


def _simd() -> str:
    """`X86_V3`: the last, and highest, of the processor's features that NumPy found; its baseline if it found none."""
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    return str((extensions.get("found") or extensions.get("baseline") or ["none"])[-1])
