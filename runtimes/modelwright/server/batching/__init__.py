"""Concurrent requests answered by one call of the author's model."""
