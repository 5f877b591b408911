"""From a folder to an image and to a service: the engines that build, the registry, and what asks a cluster."""
