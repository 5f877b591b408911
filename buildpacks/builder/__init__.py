"""The builder: base images, lifecycle and buildpack in one image that `pack` and kpack build with."""
