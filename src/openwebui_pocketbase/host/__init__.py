"""Everything that touches the host, Open WebUI: finding it, checking it, taking over its repositories."""

STARTUP_FAILURE = 3
"""uvicorn's exit status for an application that cannot start; its parent of several workers then stops, too."""
