"""The truth about one process: live while its loop turns, ready while every model is and nothing drains."""

from modelwright.model import Repository


class Health:
    """What the probes are told; REST and gRPC share it."""

    __slots__ = ("_repository", "draining", "listening")

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.listening = False
        self.draining = False

    @property
    def ready(self) -> bool:
        """Whether new requests should be sent here."""
        return self.listening and not self.draining and self._repository.ready

    def model_ready(self, name: str) -> bool:
        """Whether requests for one model should be sent here.

        Raises:
            ModelNotFound: no model has that name.

        """
        return self._repository.get(name).ready and self.listening and not self.draining
