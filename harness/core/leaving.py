"""What leaves a group over its edges: its activity, with residuals on top, normalised where the network is.

In a `normalised` network everything that leaves a hidden group over an edge is first brought to mean 0 and
variance 1 over its units, for each pattern: with residuals s_l = s_{l-1} + f(z(s_{l-1}) W_l + b_l), the
layout of Xiong et al. 2020 (On layer normalization in the transformer architecture, arXiv:2002.04745). Gains
and biases of the normalisation are left out: the weights and biases that follow would take them up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core import kernels
from harness.core.edges import Edge, Group
from harness.core.wiring import Wiring

Array = Any


@dataclass(frozen=True)
class Leaving(Wiring):
    """A wiring that knows what leaves its groups, and how blame comes back through that."""

    def sent(self, group: Group, y: Mapping[Group, Array]) -> Array:
        """What leaves a group over its edges: s of `gathered`, or in a normalised network its z.

        Args:
            group: whose activity.
            y: activities (…, N, size) by group.

        Returns:
            s or z (…, N, size).
        """
        s = self.gathered(group, y)
        return kernels.standardised(s)[0] if group in self._normalised else s

    def gathered(self, group: Group, y: Mapping[Group, Array]) -> Array:
        """s: the activity of a group, plus over residuals that of the groups behind it.

        Args:
            group: whose activity.
            y: activities (…, N, size) by group; groups behind it that are not in `y` add nothing.

        Returns:
            s (…, N, size).
        """
        carried = self._carried[group]
        return y[group] if len(carried) == 1 else kernels.total(y[g] for g in carried if g in y)

    def known(self, group: Group, y: Mapping[Group, Array]) -> bool:
        """Whether anything is known of what leaves a group over its edges.

        Args:
            group: whose activity.
            y: activities (…, N, size) of some groups.

        Returns:
            True if `y` has its activity, or one that residuals bring there.
        """
        return any(g in y for g in self._carried[group])

    def through(self, edge: Edge, y: Mapping[Group, Array], blame: Array) -> Array:
        """Blame that came back over an edge, taken back through the normalisation of what left its source.

        Σ_j ∂z_j/∂s_i b_j = (b_i − mean b − z_i mean(z b)) / σ, the same forwards: ∂z/∂s is symmetric.

        Args:
            edge: over which it came.
            y: activities (…, N, size) by group.
            blame: b (…, N, source size).

        Returns:
            Blame (…, N, source size); where nothing is normalised, `blame` itself.
        """
        if edge.source not in self._normalised:
            return blame
        z, sigma = kernels.standardised(self.gathered(edge.source, y))
        return (blame - kernels.mean_units(blame) - z * kernels.mean_units(z * blame)) / sigma
