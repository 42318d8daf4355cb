"""What one update costs, counted from the code that does it."""
