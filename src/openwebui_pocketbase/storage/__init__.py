"""The contents of files in PocketBase, in the place of the host's storage.

``provider``  what the host's ``Storage`` becomes
``cache``     local copies, which is what the host reads
``contents``  sending, fetching and removing, over HTTP
``paths``     which paths are ours
"""
