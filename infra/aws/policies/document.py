"""The parts of a policy document, and how it is written."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Document = dict[str, Any]
Statement = dict[str, Any]
Condition = Mapping[str, Mapping[str, Any]]
"""By operator and key: a text or a list of texts."""

# What AWS accepts (IAM user guide, "IAM and AWS STS quotas"); it does not count white space.
MANAGED_POLICY_CHARACTERS = 6144
MANAGED_POLICIES_PER_ROLE = 10
INLINE_CHARACTERS_PER_ROLE = 10240
TRUST_POLICY_CHARACTERS = 2048


def render(document: Document) -> str:
    """The document as AWS takes it, in one spelling, so that the same document is never a change."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def document(*statements: Statement) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def joined(*documents: Document) -> Document:
    """The statements of several documents in one."""
    return document(*(statement for part in documents for statement in part["Statement"]))


def summed(*documents: Document) -> Document:
    """The same with each statement once and nameless: a name may stand only once in a document."""
    nameless = [
        {key: value for key, value in statement.items() if key != "Sid"}
        for statement in joined(*documents)["Statement"]
    ]
    return document(*(statement for index, statement in enumerate(nameless) if statement not in nameless[:index]))


def allow(sid: str, actions: Sequence[str], resources: Sequence[str], condition: Condition | None = None) -> Statement:
    return _statement("Allow", sid, actions, {"Resource": list(resources)}, condition)


def deny(sid: str, actions: Sequence[str], resources: Sequence[str], condition: Condition | None = None) -> Statement:
    return _statement("Deny", sid, actions, {"Resource": list(resources)}, condition)


def deny_elsewhere(sid: str, actions: Sequence[str], resources: Sequence[str]) -> Statement:
    """Refuse the actions on everything but these resources."""
    return _statement("Deny", sid, actions, {"NotResource": list(resources)}, None)


def of_everyone(statement: Statement) -> Statement:
    """The statement as a resource's own policy has it, about whoever asks."""
    return {**statement, "Principal": "*"}


def _statement(
    effect: str, sid: str, actions: Sequence[str], resources: Statement, condition: Condition | None
) -> Statement:
    statement = {"Sid": sid, "Effect": effect, "Action": list(actions), **resources}
    return statement | ({"Condition": condition} if condition else {})
