"""``python -m openwebui_pocketbase``: the command, where its script is not on the path."""

from openwebui_pocketbase.cli import app

app(prog_name="openwebui-pocketbase")
