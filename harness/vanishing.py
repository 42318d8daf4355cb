"""`python -m harness.vanishing`."""

from harness.cli.vanishing import main

if __name__ == "__main__":
    main()
