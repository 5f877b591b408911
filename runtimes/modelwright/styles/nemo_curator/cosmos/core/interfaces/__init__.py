"""cosmos-curate's interfaces."""
