"""Traffic with a history of any length: the forecast of `traffic`, given step by step to a network in time.

The same series, weeks, patterns and criterion; `window` hours come in one after the other, all four stations
at each step, and the forecast is asked for at the last. Or they are all there at once: to a chain
(units=chain, which is `traffic`) and to one attention head over the window (units=attention). How far back a
forecast needs to look, and how far back a rule can teach a network to look, are questions of `window` and
`units`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from harness.core.data import Data, Patterns, Published, Spec, Usual, shared
from harness.core.errors import InputError
from harness.core.network import Network
from harness.core.recurrent import KINDS, attending, recurrent
from harness.core.setting import setting
from harness.core.task import Array
from harness.tasks.traffic import STATIONS, Traffic

AT_ONCE = ("chain", "attention")


@dataclass(frozen=True)
class TrafficHistory(Traffic):
    """What four base stations carry in the next hour, from hours that come in one after the other: 4-H-4."""

    init: str = "uniform"
    hidden: int = setting(16, "Hidden units; of a chain, units of a hidden layer.", at_least=1)
    layers: int = setting(1, "Hidden layers of a chain.", at_least=1, at_most=1000)
    units: str = setting(
        "tanh",
        "Kind of the hidden units; or the whole window at once to a chain, or to an attention head.",
        one_of=(*KINDS, *AT_ONCE),
    )

    usual: ClassVar[Usual] = Usual(lr=0.005, momentum=0.0, scale=0.2, epochs=150, batch=32)
    published: ClassVar[tuple[Published, ...]] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, default in (("layers", 1), ("activation", "sigmoid")):
            if self.units != "chain" and getattr(self, name) != default:
                raise InputError(
                    f"{name}={getattr(self, name)} would be ignored: it belongs to units=chain, "
                    f"but units={self.units} was given"
                )

    @property
    def timed(self) -> bool:
        """Whether hours come in step by step."""
        return self.units not in AT_ONCE

    def network(self) -> Network:
        features, outputs = len(STATIONS), self.horizon * len(STATIONS)
        if self.units == "attention":
            return attending(self.window, features, self.hidden, outputs, "linear")
        if self.units == "chain":
            return super().network()
        return recurrent(features, self.hidden, outputs, self.units, "linear")

    def spec(self) -> Spec:
        flat = super().spec()
        return flat._replace(steps=self.window, asked=1 if self.window > 1 else 0) if self.timed else flat

    def patterns(self) -> Patterns:
        flat = super().patterns()
        x, target = self._shaped(flat.x, flat.target)
        return Patterns(x, target > 0, flat.names, target)

    def _data(self, part: str, dtype: DTypeLike) -> Data:
        x, target = self._shaped(*self.part(part))
        return shared(x, target, target > 0, dtype, time=self.timed)

    def _shaped(self, x: Array, target: Array) -> tuple[Array, Array]:
        """Windows (N, window · stations) and targets (N, outputs) as the network takes them."""
        if self.units == "attention":  # which hears the last hour once more, for its query
            return np.hstack([x, x[:, -len(STATIONS) :]]), target
        if not self.timed:
            return x, target
        return x.reshape(len(x), self.window, -1).swapaxes(0, 1), target[None]

    def right(self, y: Array, data: Data) -> Array:
        if not data.time:
            return super().right(y, data)
        target, wanted = (a[..., 0, :, :] for a in (data.target, data.wanted))
        return super().right(y[..., -1, :, :], Data(data.x, target, wanted))
