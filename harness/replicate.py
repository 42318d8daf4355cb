"""`python -m harness.replicate`."""

from harness.cli.replicate import main

if __name__ == "__main__":
    main()
