"""Sets of cells that answer one question: composed once, run where missing."""
