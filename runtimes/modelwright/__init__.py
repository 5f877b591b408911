"""The runtime kit: what runs inside a model's pod, and the author's tools."""
