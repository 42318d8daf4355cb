"""`python -m harness.credit algorithm=… task=… [draws=…]`: is an algorithm's credit the gradient?"""

from __future__ import annotations

import sys

from harness.cli.arguments import complain, one_sentence
from harness.core.errors import InputError, whole
from harness.credit.gradient_check import DRAWS, check
from harness.studies.compose import cells_of


@one_sentence()
def main() -> None:
    """Print the check of one cell, or of several one after another;
    exit code 2 for what cannot be checked.
    """
    given = [text for text in sys.argv[1:] if text.startswith("draws=")]
    draws = _number(given[-1].removeprefix("draws=")) if given else DRAWS
    cells, _ = cells_of([text for text in sys.argv[1:] if text not in given])
    failed = False
    for i, cell in enumerate(cells):
        try:
            print(("\n" if i else "") + str(check(cell, draws)))
        except InputError as error:  # the others are checked all the same
            complain(str(error))
            failed = True
    if failed:
        sys.exit(2)


def _number(text: str) -> int:
    try:
        draws = int(text.replace("_", ""))
    except ValueError:
        raise InputError(f"draws must be a whole number, at least 2, but {text!r} was given") from None
    whole("draws", draws, 2)
    return draws


if __name__ == "__main__":
    main()
