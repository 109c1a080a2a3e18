"""The host's SQL database as one side of a move: what is stored, a moment of it, and what changes."""
