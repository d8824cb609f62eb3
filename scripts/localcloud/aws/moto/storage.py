"""S3: what moto forgets or misjudges."""

from collections.abc import Callable
from typing import Any

from scripts.localcloud.aws.moto.patching import wrap


def ignore_bucket_policy_conditions() -> None:
    # moto applies a bucket policy without its Condition, so that "deny without TLS" denies every object (403).
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    wrap(FakeBucket, "get_permission", lambda _original: lambda _self, _action, _resource: PermissionResult.NEUTRAL)


def keep_newer_noncurrent_versions() -> None:
    # NewerNoncurrentVersions of an expiration is dropped; the provider waits 180 s for it and the create fails.
    from moto.s3.models import FakeBucket
    from moto.s3.responses import S3Response

    def remember(original: Callable[..., Any]) -> Callable[..., Any]:
        def set_lifecycle(self: Any, rules: list[dict[str, Any]]) -> None:
            original(self, rules)
            for given, stored in zip(rules, self.rules, strict=True):
                stored.newer_versions = (given.get("NoncurrentVersionExpiration") or {}).get("NewerNoncurrentVersions")

        return set_lifecycle

    def show(original: Callable[..., Any]) -> Callable[..., Any]:
        def serialized(self: Any, action_result: Any) -> Any:
            result = getattr(action_result, "result", None)
            if isinstance(result, dict) and self.data.get("Action") == "GetBucketLifecycleConfiguration":
                stored = {rule.id: rule for rule in self.backend.get_bucket_lifecycle(self.bucket_name) or []}
                for rule in result.get("Rules", []):
                    newer = getattr(stored.get(rule["ID"]), "newer_versions", None)
                    if newer:
                        rule["NoncurrentVersionExpiration"]["NewerNoncurrentVersions"] = newer
            return original(self, action_result)

        return serialized

    wrap(FakeBucket, "set_lifecycle", remember)
    wrap(S3Response, "serialized", show)


def read_log_permissions_as_s3_does() -> None:
    # moto looks for the one spelling it writes itself in the log bucket's policy: on a statement about everyone it
    # fails (HTTP 500), and a list of resources is no permission. No bucket could log into ours.
    import json

    from moto.s3.models import LOGGING_SERVICE_PRINCIPAL, FakeBucket

    def _log_permissions_enabled_policy(target_bucket: Any, target_prefix: str | None) -> bool:
        logged = f"arn:{target_bucket.partition}:s3:::{target_bucket.name}/{target_prefix or ''}"
        statements = json.loads(target_bucket.policy)["Statement"] if target_bucket.policy else []
        return any(
            statement["Effect"] == "Allow"
            and isinstance(statement.get("Principal"), dict)
            and LOGGING_SERVICE_PRINCIPAL in _listed(statement["Principal"].get("Service", []))
            and "s3:PutObject" in _listed(statement.get("Action", []))
            and any(logged.startswith(r.removesuffix("*")) for r in _listed(statement.get("Resource", [])))
            for statement in statements
        )

    wrap(FakeBucket, "_log_permissions_enabled_policy", lambda _original: staticmethod(_log_permissions_enabled_policy))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
