"""`python -m harness.credit`."""

from harness.credit.gradient_check import main

if __name__ == "__main__":
    main()
