"""Our repositories: a module per group of data, a package where it has several."""
