"""What `import nemo_curator` gives where NeMo Curator is not installed."""
