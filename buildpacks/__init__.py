"""Images without a Dockerfile: the buildpack, its builder, and what runs `pack` with both."""
