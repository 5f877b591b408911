"""NeMo Curator: `ModelInterface` classes of its three generations, served by the entry point that they have."""
