"""Names inside a release folder, shared by those who build one and those who serve it."""

ENCODER = "encoder"
"""Folder of the encoder: config.json, model.safetensors, tokenizer.json, settings.json."""

CATALOGUE = "catalogue.jsonl"
"""One product per line as answers show it, in the index's order."""

INDEX = "index.safetensors"
"""One vector per product."""
