"""Everything that touches the host, Open WebUI: finding it, checking it, taking over its repositories."""

STARTUP_FAILURE = 3
"""uvicorn's exit status for an application that cannot start; its parent of several workers then also stops."""

DATABASE = "open_webui.internal.db"
"""The host's first module that can reach the SQL database; its migrations run later."""
