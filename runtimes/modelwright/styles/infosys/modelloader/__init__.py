"""What `import modelloader` gives where the Infosys Model Inference Library is not installed."""
