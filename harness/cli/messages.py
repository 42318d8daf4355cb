"""Hydra's and OmegaConf's complaints, said in one sentence with the nearest valid name."""

from __future__ import annotations

import os
import re

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)
from yaml import MarkedYAMLError

from harness.core.errors import unknown
from harness.studies.conf import described

PACKAGES = {
    f"hydra/{option}": f"hydra-{package}"
    for package, options in {
        "ray-launcher": ("launcher/ray_aws",),
        "rq-launcher": ("launcher/rq",),
        "optuna-sweeper": ("sweeper/optuna",),
        "ax-sweeper": ("sweeper/ax",),
        "nevergrad-sweeper": ("sweeper/nevergrad",),
    }.items()
    for option in options
}
"""Plugins of Hydra's own, and the package that each option comes with."""

EXTRAS = {"hydra/launcher/submitit_slurm": "slurm", "hydra/launcher/submitit_local": "slurm"}
"""Those that an extra of ours brings along."""


def to_install(what: str, extra: str) -> str:
    """How to have what an extra of ours brings along."""
    return (
        f"{what} is not installed: pip install 'credit-assignment-harness[{extra}]', in a clone '.[{extra}]'"
    )


def sentence(error: Exception) -> str:
    """What the user did, what is allowed, and what they may have meant."""
    cause = error.__cause__ if isinstance(error, HydraException) else error
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        return (
            f"{os.path.relpath(error.problem_mark.name)} is not YAML, "
            f"line {error.problem_mark.line + 1}: {error.problem}"
        )
    if isinstance(error, OverrideParseException):
        return f"override {error.override!r} cannot be read"
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        missing = str(error.missing_cfg_file)
        chosen = "=".join(missing.rsplit("/", 1))
        if extra := EXTRAS.get(missing):
            return to_install(chosen, extra)
        if package := PACKAGES.get(missing):
            return f"{chosen} is not installed: pip install {package}"
        group, _, option = str(error.missing_cfg_file).rpartition("/")
        if presets := [name for name, _ in described("experiment")] if group.startswith("experiment") else []:
            return str(unknown("experiment", str(error.missing_cfg_file).partition("/")[2], presets))
        return str(unknown(group or "configuration", option, error.options or []))
    if isinstance(cause, ConfigAttributeError | ConfigKeyError):
        allowed = [str(k) for k in cause.parent_node or [] if k not in ("hydra", "name")]
        parent, _, name = str(cause.full_key or cause.key).rpartition(".")
        return str(unknown(f"setting of {parent}" if parent else "setting", name, allowed))
    if isinstance(cause, MissingMandatoryValue):
        return f"{cause.full_key or 'a setting'} was left open (???): give it a value"
    if isinstance(cause, OmegaConfBaseException):
        return f"{cause.full_key or 'a setting'} cannot be worked out: {_first_line(cause)}"
    text = _first_line(error)
    unfit = re.match(r"In '(.+?)': \w+ raised while composing config:\n(.*)", str(error))
    if unfit:
        return f"{unfit[1]} does not go with what else was chosen: {unfit[2].strip()}"
    no_group = re.search(r"Could not override '([^']+)'\. No match in the defaults list", str(error))
    if no_group:
        parent = no_group[1].rpartition("/")[0]
        where = f"the chosen {parent} has none" if parent else "there is no such group of options"
        return f"{no_group[1]} would be ignored: {where}"
    several = re.match(r"(?:Ambiguous value for argument|Sweep parameters) '(.+?)'(?:$|\n| requires)", text)
    if several:
        return f"{several[1]} gives several values: add -m to run a sweep over them"
    return text


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
