"""The command line, and all that talks to a person at a prompt. Imported by nobody but Hydra's sweeper."""
