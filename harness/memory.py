"""`python -m harness.memory`."""

from harness.cli.memory import main

if __name__ == "__main__":
    main()
