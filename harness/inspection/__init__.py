"""What trained networks came to: their hidden units, how alike they are, and where they end."""
