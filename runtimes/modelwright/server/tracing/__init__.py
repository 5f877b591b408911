"""OpenTelemetry traces of inference requests."""
