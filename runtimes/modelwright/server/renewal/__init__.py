"""The served end of `modelwright serve --reload`: an author's new methods put onto living classes."""

from typing import Final

# In a server's environment: the number of the descriptor that it is told of changed files by.
RELOADED_BY: Final = "MODELWRIGHT_RELOAD_CHANNEL"
