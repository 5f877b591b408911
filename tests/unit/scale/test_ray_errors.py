"""What Ray raises, told apart."""

from modelwright.scale.ray_errors import died, meant
from modelwright.scale.replicas import ReplicaDied, ReplicaFailed
from ray.exceptions import ActorDiedError, OutOfMemoryError, RayTaskError


def test_a_death_is_told_from_what_the_author_raised() -> None:
    raised = RayTaskError("call", "Traceback: ...", ValueError("three"))
    assert died(ActorDiedError())
    assert not died(raised)
    assert not died(ValueError("three"))
    # Ray's own text goes on with ids and addresses.
    killed = OutOfMemoryError("It was killed.\nIts id was 7.")
    assert isinstance(meant(killed), ReplicaDied)
    assert str(meant(killed)) == "a replica ended in the midst of a call: It was killed."


def test_what_the_author_raised_comes_with_its_traceback_as_a_note() -> None:
    cause = ValueError("three")
    assert meant(RayTaskError("call", "Traceback: line 7", cause).as_instanceof_cause()) is cause
    assert "Traceback: line 7" in cause.__notes__[0]


def test_what_could_not_be_read_again_is_told_as_text() -> None:
    unreadable = RayTaskError("call", "Traceback: line 7", RuntimeError("x"))
    unreadable.cause = None
    failed = meant(unreadable)
    assert isinstance(failed, ReplicaFailed)
    assert "line 7" in str(failed)
