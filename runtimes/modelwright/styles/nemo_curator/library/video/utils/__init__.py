"""What models of the first generation use."""
