"""Users in PocketBase, with their credentials and their sessions at identity providers.

Nothing is imported here: ``users`` is needed as soon as the host's module of users is there, before that of
credentials.
"""
