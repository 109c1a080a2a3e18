"""The repositories: one module per group of data for PocketBase, and the host's own for SQL."""
