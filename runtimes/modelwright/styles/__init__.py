"""User classes of every style, each adapted to `modelwright.model`."""
