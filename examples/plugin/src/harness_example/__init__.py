"""A plug-in of the credit assignment harness: what its modules define is found."""
