"""Benchmarks: the same repository operations on SQLite, PostgreSQL and PocketBase, side by side."""
