"""`python -m harness.credit algorithm=… task=… [draws=…]`: is an algorithm's credit the gradient?"""

from __future__ import annotations

import sys
import traceback

from harness.cli.arguments import complain, one_sentence, prepare
from harness.core.errors import ANYTHING, InputError, whole
from harness.credit.gradient_check import DRAWS, check
from harness.studies.compose import cells_of


@one_sentence()
def main() -> None:
    """Print the check of one cell, or of several one after another; exit code 2 for what cannot be checked,
    1 for a rule whose code raises.
    """
    given = [text for text in sys.argv[1:] if text.startswith("draws=")]
    draws = _number(given[-1].removeprefix("draws=")) if given else DRAWS
    overrides = [text for text in sys.argv[1:] if text not in given]
    prepare(overrides)
    cells, _ = cells_of(overrides)
    code = 0
    for i, cell in enumerate(cells):
        try:
            said = str(check(cell, draws))
        except InputError as error:  # the others are checked all the same
            complain(str(error))
            code = 2
        except ANYTHING as error:  # the rule's own code: here somebody looks for what is wrong in it
            traceback.print_exc()
            complain(f"{cell.id} failed: {type(error).__name__}: {error}")
            code = 1
        else:
            print(("\n" if i else "") + said)
    if code:
        sys.exit(code)


def _number(text: str) -> int:
    try:
        draws = int(text.replace("_", ""))
    except ValueError:
        raise InputError(f"draws must be a whole number, at least 2, but {text!r} was given") from None
    whole("draws", draws, 2)
    return draws


if __name__ == "__main__":
    main()
