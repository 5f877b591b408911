"""What building, pushing and deploying raise."""


class ImageError(Exception):
    """An image or a service could not be made; the message says why and what to do."""
