"""How the way back of target propagation learns to undo the way forward: what every g descends, and its
gradient.

    g_l(h) = f_{l-1}(Q_l h + c_l)                                what h_{l-1} must have been

    |g_l(f_l(h + ε)) − (h + ε)|² / 2                             (tp, dtp: Lee et al. 2015)
    |g_l(r) − g_l(h_l) − ε|² / 2                                 (drl: Meulemans et al. 2020)
    |Q_l (f_{l→L}(h + ε) − h_L) − ε|² / 2                        (ddtp_linear, the same)
    |g_l(h_l + ξ) − g_l(h_l)|² / 2 − ε·(g_l(f_l(h + ε)) − g_l(h_l))           (l_drl: Ernoult et al. 2022)

ε is noise on the activity h of layer l − 1, ξ on that of layer l; r is what comes back to layer l, by
differences, of the output's answer f_{l→L}(h + ε). Only g_l itself learns by its loss, not those that r came
over. A linear g of a linear layer J is at its minimum, for noise of standard deviations σ and κσ, where its
slopes are J⁺ in drl, if the noise reaches all that hear, and Jᵀ / κ² in l_drl.

g_l hears over the adjoint of the edge that it undoes, `edge.back`: ⟨back(Q, h), b⟩ = ⟨Q, outer(b, h)⟩, so
that the gradient of Q is the edge's own credit of weights. Groups that send to the same group are one layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from harness.core.algorithm import Array, Network, Params
from harness.core.network import Edge, Group
from harness.core.readings import reading

VARIANTS = ("tp", "dtp", "drl", "ddtp_linear", "l_drl")
Activity = Mapping[Group, Array]
Feedback = Mapping[str, Array]


def ahead(net: Network, group: Group) -> Edge:
    """The edge that a hidden group sends over: it has one."""
    return net.out_of(group)[0]


def upwards(net: Network, group: Group) -> list[Group]:
    """The groups that a hidden group is heard by, one after the other, up to the output."""
    met = [ahead(net, group).target]
    while met[-1] != net.output:
        met.append(ahead(net, met[-1]).target)
    return met


def way(net: Network, variant: str, group: Group) -> Edge:
    """What the target of a hidden group comes back over: the edge that it sends over, or one of full
    connections with the output.
    """
    return Edge(group, net.output) if variant == "ddtp_linear" else ahead(net, group)


def layer(net: Network, params: Params, group: Group, h: Activity) -> Array:
    """The activity of a group (…, N, size), of the output its net input."""
    x = net.net_input(params, group, h)
    return x if group == net.output else net.activity(group, x)


def activities(net: Network, params: Params, x: Array) -> dict[Group, Array]:
    """Activity (…, N, size) of every group for patterns x, of the output its net input."""
    h = net.split(x)
    for group in net.free:
        h[group] = layer(net, params, group, h)
    return h


def undone(net: Network, variant: str, feedback: Feedback, e: Edge, h: Array) -> Array:
    """g(h): what the source of an edge must have been if its target is at h (…, N, target size)."""
    x = reading().back(e, feedback[e.weights.name], h)
    if variant == "ddtp_linear":
        return x
    bias = net.everywhere(e.source, feedback[e.source.name])
    return net.activity(e.source, reading().add_bias(x, bias))


class Lesson(NamedTuple):
    """Noise on a network's activities, from which every g learns once.

    Args:
        net, params: the network and its forward weights.
        variant: one of `VARIANTS`.
        h: activities (…, N, size) without noise; of the output, net inputs.
        noise: ε (…, N, size) on every hidden group.
        above: ξ (…, N, size) on every group that hears a hidden one; for l_drl.
    """

    net: Network
    params: Params
    variant: str
    h: Activity
    noise: Activity
    above: Activity

    def gradient(self, feedback: Feedback) -> dict[str, Array]:
        """The gradient of the loss of every g by its own weights and biases, summed over patterns."""
        gradient: dict[str, Array] = {}

        def add(name: str, each: Array) -> None:
            gradient[name] = gradient[name] + each if name in gradient else each

        for group in self.net.hidden:
            e = way(self.net, self.variant, group)
            for heard, said, blame in self.terms(feedback, e):
                if self.variant != "ddtp_linear":
                    blame = self.net.pull(group, {group: said}, blame)
                    told = blame.reshape(*blame.shape[:-2], -1, group.channels)
                    add(group.name, reading().sum_patterns(told))
                add(e.weights.name, reading().outer(e, blame, heard))
        return gradient

    def terms(self, feedback: Feedback, e: Edge) -> list[tuple[Array, Array, Array]]:
        """For each time that the g of an edge stands in its loss: what it hears, what it says to that, and
        the loss's derivative by what it says, (…, N, units) each.
        """
        epsilon, here = self.noise[e.source], self.h[e.target]

        def g(heard: Array) -> Array:
            return undone(self.net, self.variant, feedback, e, heard)

        if self.variant == "ddtp_linear":
            heard = self.answer(e.source)[self.net.output] - here
            said = g(heard)
            return [(heard, said, said - epsilon)]
        if self.variant == "drl":
            heard = self.returned(feedback, e.source)
            said, usual = g(heard), g(here)
            gap = said - usual - epsilon
            return [(heard, said, gap), (here, usual, -gap)]
        heard = layer(self.net, self.params, e.target, {**self.h, **self.shaken(e.target)})
        said = g(heard)
        if self.variant == "l_drl":
            about = here + self.above[e.target]
            usual, other = g(here), g(about)
            gap = other - usual
            return [(about, other, gap), (here, usual, epsilon - gap), (heard, said, -epsilon)]
        return [(heard, said, said - (self.h[e.source] + epsilon))]

    def shaken(self, target: Group) -> dict[Group, Array]:
        """The hidden groups that a group hears, with noise on them."""
        return {g: self.h[g] + a for g, a in self.noise.items() if ahead(self.net, g).target == target}

    def answer(self, group: Group) -> dict[Group, Array]:
        """Activities where there is noise on the layer of a hidden group, and on no other."""
        above = upwards(self.net, group)
        moved = {**self.h, **self.shaken(above[0])}
        for each in above:
            moved[each] = layer(self.net, self.params, each, moved)
        return moved

    def returned(self, feedback: Feedback, group: Group) -> Array:
        """What comes back of that answer, by differences, to the group that a hidden group sends to."""
        back = self.answer(group)[self.net.output]
        for each in reversed(upwards(self.net, group)[:-1]):
            e = ahead(self.net, each)
            came, usual = (undone(self.net, self.variant, feedback, e, a) for a in (back, self.h[e.target]))
            back = self.h[each] + came - usual
        return back
