"""Checks that any algorithm is held to, ours or yours: what it may not do, and what it says it is."""
