"""A test Kubernetes: one interface, three providers (kind, native, existing), and their tools."""
