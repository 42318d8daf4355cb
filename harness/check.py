"""`python -m harness.check`."""

import sys

from harness.cli.check import main

if __name__ == "__main__":
    main(sys.argv[1:])
