"""Everything that touches the host, Open WebUI: finding it, checking it, taking over its repositories."""
