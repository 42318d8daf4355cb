"""`python -m harness.memory`."""

from harness.plots.memory import main

if __name__ == "__main__":
    main()
