"""NETtalk: what does a letter in the middle of seven sound like?

Sejnowski & Rosenberg 1987, Parallel networks that learn to pronounce English text, Complex Systems 1:145-168.
A window slides over a word; each of its seven places has 29 units, of which one is on: one for each letter,
one for the space around a word, and two for punctuation. 80 hidden units, and outputs for the sound of the
middle letter: 203-80-K.

Not as there (what is said of the paper is from memory):

- The outputs are labels, one for each of the K = 48 symbols of the file: a phoneme of the ARPAbet, two at
  once (the x of *taxi* is K+S), or silence (-). There they are 21 articulatory features and 5 units for
  stress and the ends of syllables, and the nearest phoneme counts. Stress is left out here.
- The words are others: 1,000 of the CMU Pronouncing Dictionary that are learnt, and 1,000 that are held out;
  the file beside this one, with the dictionary's notice, says which. Words stand alone, and the two units
  for punctuation are never on; there it is continuous text, too.
- Letters were matched with phonemes by a programme, there by hand. `bench/words.py` is that programme and
  says how words were chosen; a few names are among them, as the dictionary does not mark names.

A pattern is a letter. *Solved* is a share of the letters learnt, by the largest output; the letters of the
words held out are looked at once, at the end (`held_right`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from harness.core.data import Data, Patterns, Published, Spec, Usual, shared
from harness.core.network import Network
from harness.core.rand import Rand
from harness.core.setting import setting
from harness.core.task import Task
from harness.core.units import UNITS

FILE = Path(__file__).with_name("nettalk.csv")
CHARACTERS = "abcdefghijklmnopqrstuvwxyz ,."
LEARNT = 1000
"""Words of the file that may be learnt, the first ones; the others are held out."""
Words = tuple[tuple[str, tuple[str, ...]], ...]
"""Words and, for each of its letters, a symbol."""


@dataclass(frozen=True)
class Nettalk(Task):
    """The sound of the letter in the middle of a window that slides over English words: 203-H-K."""

    criterion: str = "largest"
    share: float = setting(0.9, "The share of the letters learnt that must be right.", above=0, at_most=1)
    init: str = "glorot"
    hidden: int = setting(80, "Hidden units.", at_least=1)
    window: int = setting(
        7, "Letters that are seen; of an even number, one more before than after.", at_least=1, at_most=21
    )
    words: int = setting(1000, "Words that are learnt.", at_least=1, at_most=LEARNT)
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)

    usual: ClassVar[Usual] = Usual(lr=0.1, momentum=0.0, scale=0.3, epochs=100, batch=16)
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            "1,024 words by 80 hidden units, learnt",
            "95 % of the phonemes right",
            "Sejnowski & Rosenberg 1987, Complex Systems 1:145-168",
            "memory",
        ),
        Published(
            "continued text, not learnt",
            "78 % of the phonemes right",
            "Sejnowski & Rosenberg 1987, Complex Systems 1:145-168",
            "memory",
        ),
        Published(
            "experiment=sejnowski1987/nettalk, n = 5",
            "93.4 % of the letters learnt right, 84.9 % of those held out",
            "run by us",
            "computed",
        ),
    )

    def network(self) -> Network:
        sizes = self.window * len(CHARACTERS), self.hidden, len(symbols())
        return Network.chain(*sizes, hidden=self.activation, output=self.output_unit)

    def spec(self) -> Spec:
        return Spec(patterns=sum(len(word) for word, _ in self.learnt), kind="labels")

    @property
    def learnt(self) -> Words:
        """The words that are learnt."""
        return spelt()[: self.words]

    def patterns(self) -> Patterns:
        """The letters learnt, each named by its word, in which it is a capital."""
        names = (
            word[:i] + word[i].upper() + word[i + 1 :] for word, _ in self.learnt for i in range(len(word))
        )
        return Patterns(windows(self.learnt, self.window).astype(float), sounds(self.learnt), tuple(names))

    def data(self, rand: Rand, dtype: DTypeLike) -> Data:
        trained, held = (self._data(words, dtype) for words in (self.learnt, spelt()[LEARNT:]))
        return trained._replace(held=held)

    def source(self) -> tuple[NDArray[np.uint8], ...]:
        return (np.frombuffer(FILE.read_bytes(), np.uint8),)

    def _data(self, words: Words, dtype: DTypeLike) -> Data:
        wanted = sounds(words)
        target = np.where(wanted, self.target_on, self.target_off)
        return shared(windows(words, self.window).astype(dtype), target, wanted, dtype)


def windows(words: Words, size: int) -> NDArray[np.bool_]:
    """What is seen of each letter, one word after another (letters, size · 29):
    the characters around it, spaces beyond the ends of its word.
    """
    around = " " * (size // 2)
    seen = (f"{around}{word}{around}"[i : i + size] for word, _ in words for i in range(len(word)))
    places = np.array([[CHARACTERS.index(character) for character in window] for window in seen])
    return (places[..., None] == np.arange(len(CHARACTERS))).reshape(len(places), -1)


def sounds(words: Words) -> NDArray[np.bool_]:
    """Which symbol each letter has (letters, K)."""
    return np.array([[symbol == own for symbol in symbols()] for _, word in words for own in word])


@cache
def symbols() -> tuple[str, ...]:
    """All symbols of the file, in alphabetical order: what the outputs stand for."""
    return tuple(sorted({symbol for _, word in spelt() for symbol in word}))


@cache
def spelt() -> Words:
    """The words of the file, in its order."""
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = (line.split(",") for line in lines[1:])
    return tuple((word, tuple(row.split())) for word, row in rows)
