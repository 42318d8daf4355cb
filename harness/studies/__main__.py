"""`python -m harness.studies`."""

from harness.cli.studies import main

if __name__ == "__main__":
    main()
