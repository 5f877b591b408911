"""Models loaded and unloaded while the server runs, in every worker."""
