"""In which order the cells of a study are begun: something is kept early, and workers end together.

Longest first is the order in which workers end together, since what is left at the end is short and fills the
gaps. But nothing is finished for long, and who stops then keeps nothing. Shortest first keeps most, and ends
with one worker at the longest cell while all others stand idle. Here every other one of the cheapest cells,
which together make a tenth of the work, comes first; then all others, longest first, with the cheap ones left
over as their tail. So the end is that of longest first, at most a twentieth of the work later. Of a few
cells, each of them more than a tenth, the cheapest comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

EARLY = 0.1  # share of the work in the cheapest cells, of which every other one comes first


def in_turn(works: Sequence[float]) -> list[int]:
    """The order, as positions in `works`: what each cell is expected to cost, in any unit.

    >>> in_turn([100, 1, 2, 3, 4, 50])
    [1, 3, 0, 5, 4, 2]
    """
    rising = sorted(range(len(works)), key=lambda i: works[i])
    whole, spent = sum(works), accumulate(works[i] for i in rising)
    cheap = [i for i, sum_so_far in zip(rising, spent, strict=True) if sum_so_far <= EARLY * whole]
    early = cheap[::2] or rising[:1]
    begun = set(early)
    return early + sorted((i for i in range(len(works)) if i not in begun), key=lambda i: -works[i])
