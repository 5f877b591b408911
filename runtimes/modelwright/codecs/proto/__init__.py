"""The protocol's gRPC messages: the .proto, what is generated from it, and the few wire bytes we handle ourselves."""
