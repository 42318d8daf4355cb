"""`python -m harness.identities`."""

import sys

from harness.cli.identities import main

if __name__ == "__main__":
    main(sys.argv[1:])
