"""Copy: remember a word, wait, and say it again.

    A B · · · ! ·          a word of an alphabet, a delay, then the cue ! at the step that begins the answer
              A B          asked at the last steps alone, a softmax over the alphabet

All words of the alphabet. What is kept must last over the delay and then come out in order. Hochreiter &
Schmidhuber 1997, Neural Computation 9:1735-1780; Graves, Wayne & Danihelka 2014, Neural Turing machines,
arXiv:1410.5401.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np

from harness.core.data import Patterns, Spec, Usual
from harness.core.errors import InputError
from harness.core.setting import setting
from harness.tasks._in_time import InTime

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST = 4096  # words


@dataclass(frozen=True)
class Copy(InTime):
    """Say a word again after a delay: (symbols + cue)-H-symbols, all words of the alphabet."""

    criterion: str = "largest"
    loss: str = "cross_entropy"
    hidden: int = 16
    symbols: int = setting(4, "Symbols of the alphabet.", at_least=2, at_most=len(LETTERS))
    word: int = setting(2, "Symbols to be remembered.", at_least=1, at_most=100)
    delay: int = setting(4, "Steps without input between the word and the answer.", at_least=0, at_most=1000)

    usual: ClassVar[Usual] = Usual(lr=0.003, momentum=0.9, scale=0.5, epochs=1000)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.symbols**self.word > MOST:
            raise InputError(
                f"words of {self.word} of {self.symbols} symbols are {self.symbols**self.word}, "
                f"and at most {MOST} are allowed"
            )

    @property
    def sizes(self) -> tuple[int, int]:
        return self.symbols + 1, self.symbols

    def spec(self) -> Spec:
        return Spec(self.symbols**self.word, "labels", steps=2 * self.word + self.delay, asked=self.word)

    def patterns(self) -> Patterns:
        words = np.array(list(product(range(self.symbols), repeat=self.word)))
        said = np.eye(self.symbols)[words.T]  # (word, N, symbols)
        x = np.zeros((2 * self.word + self.delay, len(words), self.symbols + 1))
        x[: self.word, :, :-1] = said
        x[self.word + self.delay, :, -1] = 1
        names = tuple("".join(LETTERS[i] for i in row) for row in words)
        return Patterns(x, said > 0, names)
