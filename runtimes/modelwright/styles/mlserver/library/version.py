"""The release of MLServer whose contract this library keeps."""

__version__ = "1.7.1"
