"""Wire forms to tensors and back, and nothing else."""
