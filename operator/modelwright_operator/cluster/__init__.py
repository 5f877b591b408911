"""The operator's only I/O: the API server's client, the watch cache, events, the lease and the probes."""
