"""Users in PocketBase, with their credentials and their sessions at identity providers.

The hooks are in ``owui/users``.

| Room | Methods |
| --- | --- |
| `users` | the host's table ``user``: one user, creating, changing and deleting users |
| `lists` | several users at once: pages and searches |
| `api_keys` | the users' API keys |
| `activity` | how many users there are, and who is active |
| `auths` | the host's table ``auth``: passwords, sessions and second factors |
| `oauth_sessions` | the host's table ``oauth_session`` |

What they have in common is in `_base`.

Nothing is imported here: ``users`` is needed as soon as the host's module of users is there, before that of
credentials.
"""
