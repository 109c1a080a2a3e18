"""The change feed of PocketBase, and what follows it: the mirror in the SQL database, the full-text index, timers."""
