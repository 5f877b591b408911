"""Processes forked from one that has loaded the models, and what their death costs nobody."""
