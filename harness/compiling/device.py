"""Where programs run, how precisely, how they are compiled, and where they are kept between processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from harness.core.errors import InputError
from harness.core.folders import user_cache

QUICKER: dict[str, bool | int] = {
    "xla_cpu_use_fusion_emitters": False,  # on narrow matrices: measured 1.1 to 1.25×
    "xla_cpu_prefer_vector_width": 512,  # bits, where the processor has them: 1.2× on XOR and the encoder
}


@contextmanager
def precision(device: str) -> Iterator[None]:
    """Double precision where it is asked for, on the device."""
    with (
        jax.enable_x64(True),
        jax.default_matmul_precision("highest"),
        jax.default_device(_device(device)),
    ):
        yield


def _device(name: str) -> Any:
    try:
        return jax.devices(name)[0]
    except RuntimeError as error:
        have = ", ".join(sorted({d.platform for d in jax.devices()}))
        raise InputError(f"device={name!r} is not there for JAX: it has {have}") from error


def compiled(lowered: Any) -> Any:
    """What JAX lowered, compiled with options that are quicker here, or without those it does not know."""
    try:
        return lowered.compile(compiler_options=QUICKER)
    except jax.errors.JaxRuntimeError:  # an option of XLA that another version does not have
        return lowered.compile()


def keep_programs() -> None:
    """Keep compiled programs between processes:
    in the folder that JAX is told to use, or in the user's cache.
    """
    config: Any = jax.config
    if config.jax_compilation_cache_dir is None:
        config.update("jax_compilation_cache_dir", str(user_cache("jax")))
        config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        config.update("jax_persistent_cache_min_entry_size_bytes", -1)
