"""`mlserver.MLServer`, for files that import it and do not start it themselves."""

from typing import NoReturn


class MLServer:
    """MLServer's own server, which is not here: Modelwright serves in its place."""

    def __init__(self, *_: object, **__: object) -> NoReturn:
        raise NotImplementedError(
            "MLServer is not installed, and Modelwright serves in its place: start the folder of model-settings.json "
            "with `modelwright serve FOLDER`, or install mlserver"
        )
