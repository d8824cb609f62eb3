"""All statements of all documents, and what AWS itself says of the actions in them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.infra.aws.policies.estates import DOCUMENTS

# By action: the resources that AWS knows for it ("*": none), each with those of our condition keys that work there.
# From the Service Authorization Reference; a new action gets its line from there, one that went loses it.
AUTHORIZATION: dict[str, dict[str, list[str]]] = json.loads(Path(__file__).with_name("authorization.json").read_text())


def statements(effect: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, document in DOCUMENTS.items():
        for statement in document["Statement"]:
            if statement["Effect"] == effect:
                yield name, statement
