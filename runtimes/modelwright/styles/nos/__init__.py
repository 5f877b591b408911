"""NOS: classes wrapped in a ModelSpec, called by method through handles, and served."""
