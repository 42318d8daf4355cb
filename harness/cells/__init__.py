"""What is asked: one algorithm on one task under one setting,
and the name that everything in it determines.
"""
