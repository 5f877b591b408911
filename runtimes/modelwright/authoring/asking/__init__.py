"""Requests to a running server, over REST and gRPC."""
