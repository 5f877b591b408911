"""What models of the second generation use."""
