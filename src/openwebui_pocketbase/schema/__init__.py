"""What a PocketBase server has to have: tables, and the ways to bring them there."""
