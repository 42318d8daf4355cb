"""`python -m harness.tune`."""

import sys

from harness.cli.tune import main

if __name__ == "__main__":
    main(sys.argv[1:])
