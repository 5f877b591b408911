"""The traps that a cluster would find, found in the source beforehand; nothing of the author's is imported."""
