"""How the command that switches and the running workers agree: tables in the host's SQL database, and orders."""
