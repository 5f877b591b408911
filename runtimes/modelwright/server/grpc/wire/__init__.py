"""gRPC over HTTP/2 on the event loop: frames, streams and flow control, and calls on top of them."""
