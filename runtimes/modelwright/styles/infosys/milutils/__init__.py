"""What `import milutils` gives where the Infosys Model Inference Library is not installed."""
