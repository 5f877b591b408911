"""kserve.protocol."""
