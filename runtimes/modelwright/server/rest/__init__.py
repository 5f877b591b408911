"""The REST server: HTTP in, an answer of a codec's or of the server's own out."""
