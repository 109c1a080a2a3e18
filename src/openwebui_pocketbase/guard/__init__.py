"""What keeps other code away from SQL tables whose rows are in PocketBase.

| Module | What it is for |
| --- | --- |
| `moved` | the SQL tables of groups in PocketBase, and what is said to who uses them |
| `statements` | the tables that an SQL statement reads and writes |
| `tripwire` | in this process: such a statement is an error |
| `triggers` | in the database: nobody but the mirror can write, whoever it is |
"""
