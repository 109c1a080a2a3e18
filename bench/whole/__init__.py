"""Measurements of the whole application: Open WebUI as a process, stock and with everything possible in PocketBase."""
