"""The instance metadata service, version 2 only: what it says to whom. Pure but for its random tokens and keys.

Version 1 (a GET without a token) is refused with 401, as on an instance that requires tokens. Credentials are fake:
the local AWS API takes any. AWS user guide: "Use the Instance Metadata Service to access instance metadata".
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from scripts.localcloud.aws.data_plane.identity import Identity

TOKEN_PATH = "/latest/api/token"
LONGEST_TOKEN = 21600  # seconds; AWS's limit
CREDENTIAL_LIFE = timedelta(hours=6)
STAMP = "%Y-%m-%dT%H:%M:%SZ"
TTL_HEADER, TOKEN_HEADER = "x-aws-ec2-metadata-token-ttl-seconds", "x-aws-ec2-metadata-token"


@dataclass(frozen=True, kw_only=True)
class Reply:
    code: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class Service:
    """Answers requests; ``now`` is in seconds. Tokens live in memory: a restarted service asks for new ones."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, float]] = {}

    def token(self, identity: Identity, headers: Mapping[str, str], now: float) -> Reply:
        """PUT: a token for the asking instance, valid for the seconds the header names."""
        if "x-forwarded-for" in headers:
            return Reply(code=403)  # a proxy in between could hand the token on
        text = headers.get(TTL_HEADER, "")
        if not text.isdigit() or not 1 <= int(text) <= LONGEST_TOKEN:
            return Reply(code=400, body=f"{TTL_HEADER} must be 1 to {LONGEST_TOKEN}")
        self._tokens = {token: value for token, value in self._tokens.items() if value[1] > now}
        token = secrets.token_urlsafe(32)
        self._tokens[token] = (identity.id, now + int(text))
        return Reply(code=200, body=token, headers={TTL_HEADER: text})

    def get(self, identity: Identity, path: str, headers: Mapping[str, str], now: float) -> Reply:
        """GET: one value, for an instance that shows a valid token of its own."""
        owner, end = self._tokens.get(headers.get(TOKEN_HEADER, ""), ("", 0.0))
        if owner != identity.id or end <= now:
            return Reply(code=401)
        value = values(identity, datetime.fromtimestamp(now, UTC)).get(path.rstrip("/"))
        return Reply(code=404) if value is None else Reply(code=200, body=value)


def values(identity: Identity, now: datetime) -> dict[str, str]:
    """Path → text for one instance."""
    data = "/latest/meta-data"
    found = {
        f"{data}/instance-id": identity.id,
        f"{data}/instance-type": identity.type,
        f"{data}/ami-id": identity.ami,
        f"{data}/local-ipv4": identity.address,
        f"{data}/placement/region": identity.region,
        f"{data}/placement/availability-zone": identity.zone,
        f"{data}/autoscaling/target-lifecycle-state": identity.target_state,
        "/latest/dynamic/instance-identity/document": _identity_document(identity),
    }
    if identity.interruption:
        action = {"action": "terminate", "time": identity.interruption}
        found[f"{data}/spot/instance-action"] = json.dumps(action)
    if identity.role:
        roles = f"{data}/iam/security-credentials"
        found |= {roles: identity.role, f"{roles}/{identity.role}": _credentials(now)}
    return found


def _identity_document(identity: Identity) -> str:
    return json.dumps(
        {
            "instanceId": identity.id,
            "instanceType": identity.type,
            "imageId": identity.ami,
            "privateIp": identity.address,
            "region": identity.region,
            "availabilityZone": identity.zone,
            "pendingTime": datetime.fromtimestamp(identity.launched, UTC).strftime(STAMP),
        },
        indent=1,
    )


def _credentials(now: datetime) -> str:
    return json.dumps(
        {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": now.strftime(STAMP),
            "AccessKeyId": f"ASIA{secrets.token_hex(8).upper()}",
            "SecretAccessKey": secrets.token_urlsafe(30),
            "Token": secrets.token_urlsafe(48),
            "Expiration": (now + CREDENTIAL_LIFE).strftime(STAMP),
        }
    )
