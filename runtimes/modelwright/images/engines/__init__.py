"""The ways to build an image, one file each, and the choice between them."""
