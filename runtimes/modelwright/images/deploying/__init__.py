"""From a folder to a service: its source in the registry, two objects in the cluster, and watching both."""
