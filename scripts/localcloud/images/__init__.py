"""The baked image without an image engine's daemon: base, bake, and import into the site's node."""
