"""The server described to those who call it."""
