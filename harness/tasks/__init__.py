"""One task a file. Drop a file in and it is found."""
