"""Names inside a release folder, shared by those who build one and those who serve it."""

ENCODER = "encoder"
"""Folder of the model that embeds: config.json, model.safetensors, tokenizer.json, settings.json."""

CROSS_ENCODER = "cross_encoder"
"""Folder of the model that scores pairs of query and product, with the same files; optional."""

TASKS = "tasks"
"""Folder of folders: models that classify or regress, by the task's name; optional."""

CATALOGUE = "catalogue.jsonl"
"""One product per line as answers show it, in the index's order."""

INDEX = "index.safetensors"
"""One vector per product, in half precision."""

APPROXIMATE = "index.faiss"
"""The same vectors in faiss's own format, arranged for a quick approximate search; only for large catalogues."""

LEXICAL = "lexical"
"""Folder of the lexical index over the fields of the catalogue; optional, as all that follows."""

BEHAVIOUR = "behaviour.safetensors"
"""What customers did: popularity and product-to-product tables, by row of the catalogue."""

RANKERS = "rankers"
"""Folder of the learned rankers: <task>.txt in LightGBM's text format, <task>.json with the features it reads."""

EVALUATION = "evaluation.json"
"""What was measured of the release before it was sealed."""
