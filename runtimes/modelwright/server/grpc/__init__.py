"""The gRPC server: V2 over `inference.GRPCInferenceService`, with health and reflection."""
