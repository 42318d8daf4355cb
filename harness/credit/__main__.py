"""`python -m harness.credit`."""

from harness.cli.credit import main

if __name__ == "__main__":
    main()
