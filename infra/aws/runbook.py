"""What each alarm means and the first thing to do, in the words of the person who is woken by it.

The texts are the alarms' descriptions: a mail shows them. That of the budget, whose mails are AWS's, is on the
dashboard. `{...}` is filled in by the rule.
"""

RUNBOOK: dict[str, tuple[str, str]] = {
    "errors": (
        "At least {percent} % of the requests at AWS were answered with 5xx, in 3 of 5 minutes.",
        "On the dashboard see which slot answers them. Canary: set slots.canary.weight to 0 and run `pulumi up`. "
        "Stable: move the release channel back if it moved today, else read the servers' log group. Only the load "
        "balancer: no instance is there, see the alarm no-healthy-host.",
    ),
    "latency": (
        "One request in a hundred waits {milliseconds} ms or longer for its answer to begin, in 3 of 5 minutes.",
        "On the dashboard compare p99 with the queue and with the hosts in service. Queue high: raise "
        "slots.stable.maxInstances. Queue low: a new release or image is slower, move it back.",
    ),
    "unhealthy-host": (
        "A host of the slot {slot} fails its health checks for 5 minutes; its group should have replaced it.",
        "In the target group read why the check fails, then the instance's log. The same on each new instance: the "
        "image or the release is bad, move it back.",
    ),
    "no-healthy-host": (
        "The slot {slot} gets requests, and for 5 minutes no host of it answers: they end in 503.",
        "See that DNS sends everything to the other site (the health check of AWS is red). Then read the group's "
        "activity history: no capacity, or instances that never become ready.",
    ),
    "spot-interruptions": (
        "AWS takes spot instances of the slot {slot} back: {count} or more notices within 15 minutes.",
        "See that hosts in service stay near the desired number. If not, raise fleet.onDemandBase, or add a type to "
        "fleet.instanceTypes, and run `pulumi up`.",
    ),
    "no-capacity": (
        "The slot {slot} has had fewer instances in service than it wants for 15 minutes.",
        "In the group's activity history read the last failure. InsufficientInstanceCapacity: add types to "
        "fleet.instanceTypes. Limit exceeded: ask for a higher vCPU quota. Launched but never in service: see the "
        "alarm slow-start and the instances' logs.",
    ),
    "slow-start": (
        "A start in the slot {slot} took {seconds} s or longer; at {limit} s the group gives an instance up.",
        "On the dashboard see which phase grew. Image: a smaller one, or a machine image that holds it. Weights: the "
        "way to S3. Driver: the machine image.",
    ),
    "stuck-start": (
        "Instances of the slot {slot} have been starting for {minutes} minutes and none came into service: what was "
        "deployed last is not served, what ran before still is. This also ends when AWS gives the refresh up.",
        "In the group's activity history read how the last one ended, then that instance's log. Put the image, the "
        "release or the machine image back that worked, and run `pulumi up`.",
    ),
    "queue": (
        "Requests to the slot {slot} wait {seconds} s on average for 5 minutes; from {full} s on they get 429.",
        "See whether the group is at its maximum: raise slots.{slot}.maxInstances. If it grows already, raise its "
        "desired capacity at once, or give the other site more weight.",
    ),
    "any-tunnel-down": (
        "A tunnel of the VPN connection {connection} was down; the others carry the traffic, with less bandwidth.",
        "See whether AWS announced maintenance of the connection. If not, look at the site's gateway: is its daemon "
        "up, does it reach the tunnel's outside address on UDP 500 and 4500?",
    ),
    "all-tunnels-down": (
        "No tunnel of the VPN connection {connection} is up: by it, nothing of AWS reaches the site, nor back.",
        "On-prem keeps serving what it has; publish nothing. Look at the site's gateway and its line first, then at "
        "the log group of the tunnels.",
    ),
    "budget": (
        "Of this month's budget {spent} % are spent, or {forecast} % are forecast; nothing was stopped.",
        "In Cost Explorer group by service, then by usage type, and compare with last month. Instances: lower "
        "slots.stable.maxInstances or fleet.onDemandBase. NAT gigabytes: see that no endpoint is missing in "
        "network.interfaceEndpoints. All in order: raise watch.monthlyBudgetUsd.",
    ),
}


def runbook(kind: str, **values: object) -> str:
    """The line for one alarm. KeyError when a value is missing that its text speaks of."""
    meaning, first = RUNBOOK[kind]
    return f"{meaning} First: {first}".format(**values)
