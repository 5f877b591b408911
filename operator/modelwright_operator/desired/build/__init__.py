"""What should exist for a ModelImage: Jobs that look at its source and build it, and the claim of its cache. Pure."""

from modelwright_operator.desired.build.claim import cache_claim
from modelwright_operator.desired.build.facts import Facts, facts_of
from modelwright_operator.desired.build.job import build_job, inputs_hash, resolve_job
from modelwright_operator.desired.build.target import Target

__all__ = ["Facts", "Target", "build_job", "cache_claim", "facts_of", "inputs_hash", "resolve_job"]
