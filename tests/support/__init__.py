"""What several suites need: a real PocketBase, the stock repositories as oracles."""
