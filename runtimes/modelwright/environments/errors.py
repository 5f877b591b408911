"""Why a model's environment cannot be had."""

from __future__ import annotations


class EnvironmentUnusable(Exception):
    """An environment that cannot be read, made or run here; the message names file, line or field, and the remedy."""
