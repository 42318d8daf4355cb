"""`python -m harness.catalog`."""

import sys

from harness.cli.catalog import main

if __name__ == "__main__":
    main(sys.argv[1:])
