"""What a server's models take and give: as metadata, as OpenAPI, as a client's source."""
