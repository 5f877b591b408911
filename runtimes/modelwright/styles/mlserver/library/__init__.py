"""`mlserver` where it is not installed: what authors of MLServer runtimes import, module by module."""

from modelwright.styles.mlserver.library.metrics import log, register
from modelwright.styles.mlserver.library.model import MLModel
from modelwright.styles.mlserver.library.server import MLServer
from modelwright.styles.mlserver.library.settings import ModelSettings, Settings
from modelwright.styles.mlserver.library.version import __version__

__all__ = ["MLModel", "MLServer", "ModelSettings", "Settings", "__version__", "log", "register"]
