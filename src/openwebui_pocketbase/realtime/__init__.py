"""PocketBase's realtime: a stream over which it announces at once that the change feed has grown."""
