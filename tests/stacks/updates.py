"""Two changes of the example's config: one that changes what is there, and one by which things come and go."""

from typing import Any

NEW_VALUES: dict[str, Any] = {
    # What the finance department asks for some day: it reaches everything that bears tags.
    "aws:defaultTags": {"tags": {"CostCenter": "search"}},
    "logs.days": 30,
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
    ("prod-vpn", TAG),
    ("prod-watch", "threshold"),
    ("prod-watch-alarms", TAG),
    ("prod-watch-budget", "limitAmount"),
}
# A canary that gets requests must have a healthy host.
APPEARS = {("create", "prod-watch-canary-no-healthy-host")}

MOVES: dict[str, Any] = {
    "serviceName": "find.shop.example",
    "network.nat": "one",
    "network.interfaceEndpoints": ["autoscaling", "ecr.api", "ecr.dkr", "logs", "monitoring", "ssm", "ssmmessages"],
    "onprem.ranges": ["10.10.0.0/24", "10.42.0.0/16", "10.43.0.0/16", "10.44.0.0/16"],
    "watch.emails": ["oncall@shop.example", "second@shop.example"],
}
COME_AND_GO = {  # operation, component and type, and how many
    ("create", "prod-network-endpoints", "vpc/securityGroupIngressRule"): 1,
    ("create", "prod-vpn", "ec2/route"): 3,
    ("create", "prod-watch-alarms", "sns/topicSubscription"): 1,
    ("update", "prod-network-nat", "ec2/route"): 2,
    ("delete", "prod-network-nat", "ec2/natGateway"): 2,
    ("delete", "prod-network-nat", "ec2/eip"): 2,
    ("delete", "prod-network-endpoints", "ec2/vpcEndpoint"): 1,
    # The new certificate is there before the listener lets the old one go.
    ("create-replacement", "prod-tls", "acm/certificate"): 1,
    ("update", "prod-edge", "lb/listener"): 1,
    ("delete-replaced", "prod-tls", "acm/certificate"): 1,
}
REPLACED = {"prod-tls"}  # the only component of which a thing is made anew
