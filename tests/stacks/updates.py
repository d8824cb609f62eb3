"""One change of the example's config that reaches every component, and what must be seen of it in each."""

from typing import Any

NEW_VALUES: dict[str, Any] = {
    # What the finance department asks for some day: it reaches everything that bears tags.
    "aws:defaultTags": {"tags": {"CostCenter": "search"}},
    "logs.days": 30,
    "vpn.asn": 64600,
    "slots.stable.weight": 90,
    "slots.canary.weight": 10,
    "slots.stable.maxInstances": 10,
    "slots.canary.maxInstances": 3,
    "fleet.rootGib": 120,
    "fleet.scaling.requestsPerMinute": 900,
    "edge.rateLimit": 4000,
    "watch.monthlyBudgetUsd": 5000,
    "watch.latencyP99Ms": 250,
    "access.publishers": ["arn:aws:iam::111122223333:role/another-pipeline"],
}
TAG = "tagsAll.CostCenter"
EFFECTS = {  # component and field; of a component that has no setting of its own, the tag
    ("prod-canary", "maxSize"),
    ("prod-canary-scaling", "targetTrackingConfiguration.targetValue"),
    ("prod-edge", "defaultActions[0].forward.targetGroups"),
    ("prod-edge-firewall", "rules"),
    ("prod-identity", "assumeRolePolicy"),
    ("prod-identity-github", TAG),
    ("prod-images", TAG),
    ("prod-logs", "retentionInDays"),
    ("prod-logs-access", "rules[0].expiration.days"),
    ("prod-logs-key", TAG),
    ("prod-models", TAG),
    ("prod-models-key", TAG),
    ("prod-network", TAG),
    ("prod-network-attachment", TAG),
    ("prod-network-endpoints", TAG),
    ("prod-network-flows", TAG),
    ("prod-network-nat", TAG),
    ("prod-network-private", TAG),
    ("prod-network-public", TAG),
    ("prod-stable", "blockDeviceMappings[0].ebs.volumeSize"),
    ("prod-stable", "maxSize"),
    ("prod-stable-scaling", "targetTrackingConfiguration.targetValue"),
    ("prod-tls", TAG),
    ("prod-vpn", "amazonSideAsn"),
    ("prod-watch", "threshold"),
    ("prod-watch-alarms", TAG),
    ("prod-watch-budget", "limitAmount"),
}
