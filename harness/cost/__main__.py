"""`python -m harness.cost`."""

from harness.cost.sheet import main

if __name__ == "__main__":
    main()
