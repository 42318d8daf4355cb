"""`python -m harness`."""

if __name__ == "__main__":
    from harness.cli.app import main  # here: a sweep's workers import this file, and need none of it

    main()
