"""PocketBase as one side of a move: records, full-text index, and what changes; the hooks are in ``owui/migrate``."""
