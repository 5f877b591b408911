"""Models of the first generation."""
