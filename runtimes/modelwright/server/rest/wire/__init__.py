"""HTTP/1.1 on the event loop, as far as REST needs it."""
