"""What tests share: made-up tasks, networks, frames and stores, and oracles that more than one file is held
to."""
