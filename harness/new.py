"""`python -m harness.new`."""

from harness.cli.new import main

if __name__ == "__main__":
    main()
