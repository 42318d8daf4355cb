"""`python -m harness.vanishing`."""

from harness.credit.vanishing import main

if __name__ == "__main__":
    main()
