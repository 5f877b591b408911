"""Where an image is built from: resolved to something that does not move, and brought into the build's workspace.

It runs as `python -m modelwright.sources resolve|fetch` in the Jobs of a ModelImage, as the builder's user. One module
per kind of source; weights' fetchers, archive rules and guarded connections are used as they are.
"""
