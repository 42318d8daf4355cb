"""`python -m harness.dashboard`."""

from harness.cli.dashboard import main

if __name__ == "__main__":
    main()
