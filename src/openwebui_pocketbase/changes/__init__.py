"""Keeping rows of PocketBase in the host's SQL database, where the host's own SQL joins them."""
