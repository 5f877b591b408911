"""What `import cosmos_curate` (later: `cosmos_curator`) gives where it is not installed."""
