"""Replacements for functions of the host that go to SQL tables directly; one module per function or router."""
