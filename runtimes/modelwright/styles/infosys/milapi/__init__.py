"""What `import milapi` gives where the Infosys Model Inference Library is not installed."""
