"""What a study comes to: at most three sentences, the most important first.

A module for each notebook, with one function, `conclusions`, from what the study's own module of
`harness.answers` makes of frames. However many rules and tasks there are, a few are named and all are
counted; where there is too little to conclude from, a sentence says so.
"""

from __future__ import annotations

from collections.abc import Callable

LONGEST = 370
"""Characters of a conclusion: with the name of its study before it, a line of 400."""
NAMED = (3, 2, 1)


def fitting(sentence: Callable[[int], str]) -> str:
    """`sentence(most)`, which names at most so many of each kind, with the most that there is room for."""
    texts = [sentence(most) for most in NAMED]
    return next((text for text in texts if len(text) <= LONGEST), texts[-1])
