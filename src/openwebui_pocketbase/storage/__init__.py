"""The contents of files in PocketBase, in the place of the host's storage.

``provider``   what the host's ``Storage`` becomes
``cache``      local copies, which is what the host reads
``contents``   sending, fetching and removing
``disk``       PocketBase's own files, where we see them
``collector``  what no row has completed
``paths``      which paths are ours
"""
