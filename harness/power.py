"""`python -m harness.power`."""

from harness.cli.power import main

if __name__ == "__main__":
    main()
