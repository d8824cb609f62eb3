"""From shop data to a release: data → train → evaluate → ranker → a sealed folder that the registry takes."""
