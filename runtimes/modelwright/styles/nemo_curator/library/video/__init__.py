"""NeMo Curator's video part, as its first generation had it."""
