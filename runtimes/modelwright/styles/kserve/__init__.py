"""KServe's style: `kserve.Model` subclasses, old and new, and the entry points that start them."""
