"""Environments and weights of cosmos-curate's models."""
