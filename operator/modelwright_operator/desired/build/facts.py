"""What the resolving Job has told of source and builder."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """A source that does not move, and a builder and a run image by digest; `uid` and `gid` are the builder's user."""

    source: str
    builder: str
    run_image: str
    uid: int
    gid: int
    platform_api: str


def facts_of(message: str) -> Facts | None:
    """Return the facts in a container's termination message (`modelwright.sources resolve`), None where it has none."""
    try:
        found = json.loads(message)
        return Facts(
            source=str(found["source"]),
            builder=str(found["builder"]),
            run_image=str(found["run_image"]),
            uid=int(found["uid"]),
            gid=int(found["gid"]),
            platform_api=str(found["platform_api"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
