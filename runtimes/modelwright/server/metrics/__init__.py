"""What the server counts, and how Prometheus is told."""
