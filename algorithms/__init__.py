"""One learning algorithm, or close family, a file. Drop a file in and it is found."""
