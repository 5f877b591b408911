"""What cosmos-curate's models use."""
