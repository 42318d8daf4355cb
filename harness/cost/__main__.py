"""`python -m harness.cost`."""

from harness.cli.cost import main

if __name__ == "__main__":
    main()
