"""The control plane: reconciles an InferenceService into plain Deployments."""
