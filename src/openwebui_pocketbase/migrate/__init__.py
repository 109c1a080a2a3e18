"""Moving groups of data between the host's SQL database and PocketBase, while Open WebUI runs.

Both sides are a `Store` of items: a row, or a chat with its rows of messages. To copy is to compare, key by key, and
to write what differs; so a copy that was broken off is taken up by the next one, and a verification is a copy that
writes nothing. What changes meanwhile is told by the source: by an outbox that triggers fill in the SQL database, by
the change feed in PocketBase.

| Module | What it is for |
| --- | --- |
| `items` | units, keys, items, notes; what makes two items equal |
| `stores` | what both sides can do |
| `sql/` | the SQL database: a snapshot, its rows and their values, an outbox of what changes |
| `pocketbase/` | PocketBase: its records, the full-text index, its feed of what changes |
| `contents`, `file_rows` | the contents of files |
| `sides` | both stores of one site, connected |
| `comparison` | the differences between both sides |
| `copy`, `verify`, `plan`, `follow`, `switch`, `status` | what the commands do |
| `run`, `journal`, `permission` | one run of a copy: how far it has come, and what it may change |
| `control/` | asking the running workers to hold their writes, and to go on with another backend |
"""
