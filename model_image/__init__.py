"""The model side: sealed releases, the registry that keeps them, and the server that answers from them."""
