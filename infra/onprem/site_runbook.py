"""What each alert of the site means and the first thing to do, in the words of the person who is woken by it.

The texts are the alerts' descriptions; `{...}` is filled in by the rule. Names that AWS has too mean the same there
(`infra.aws.runbook`).
"""

RUNBOOK: dict[str, tuple[str, str]] = {
    "errors": (
        "More than {percent} % of the answers of {window} were 5xx, and still are: the month's promise breaks early.",
        "On the dashboard see since when. A release moved then: move its channel back. An image: put the earlier "
        "image.digest back and run `pulumi up`. Neither: read the servers' log (`kubectl -n {namespace} logs "
        "deployment/serving`).",
    ),
    "latency": (
        "More than {percent} % of the answers of {window} took longer than {milliseconds} ms, and still do.",
        "On the dashboard compare with the queue and the number of pods. Queue high: raise "
        "serving.autoscaling.maxReplicas, or give AWS more weight. Queue low: the release or the image is slower, "
        "move it back.",
    ),
    "queue": (
        "Requests wait {seconds} s on average for 5 minutes; from {full} s on servers answer 429.",
        "See whether the pods are at their maximum (`kubectl -n {namespace} get hpa`): raise "
        "serving.autoscaling.maxReplicas if machines are free, else give AWS more weight. Not at the maximum: see "
        "that KEDA reaches Prometheus (`kubectl -n {namespace} describe scaledobject`).",
    ),
    "unhealthy-host": (
        "For longer than a start may take a pod has not been ready, or fewer than {least} are; the others answer.",
        "`kubectl -n {namespace} describe pod`, then its log. Pending: machines or GPUs are lacking. No release: see "
        "that the registry or its cache answers. Cannot start: the image or the node is at fault; drain the node, or "
        "put the earlier image.digest back. All ready but too few: somebody scaled by hand; `pulumi up --refresh`.",
    ),
    "no-healthy-host": (
        "No pod of the site has been ready for 5 minutes: it answers nobody.",
        "See that DNS sends everything to AWS (the health check of the site is red). Then `kubectl -n {namespace} get "
        "pods,events`: pending pods lack machines or GPUs, crashing ones tell why in their log.",
    ),
    "release-skew": (
        "Pods of the site have answered from different releases for 15 minutes.",
        "On the dashboard see which pods are behind, and in their log why they do not take the new release: it is "
        "refused (a broken download, too little memory), or the registry does not answer them.",
    ),
    "registry-down": (
        "A pod has not reached the registry for 15 minutes: it keeps its release and learns of no new one.",
        "With a cache: see that its pods are ready. Without: see the alerts of the tunnels, then the policies of the "
        "network between the pod and AWS.",
    ),
    "certificate": (
        "A server shows customers a certificate that ends in less than {days} days; DNS would not notice.",
        "See that whoever issues it renewed the Secret (`kubectl -n {namespace} get secret`, tls.secretName). Renewed: "
        "servers take it within two minutes, or say in their log why not.",
    ),
    "any-tunnel-down": (
        "A tunnel to AWS has been down for 5 minutes; the other one carries the traffic, with less bandwidth.",
        "See whether AWS announced maintenance of the connection. If not, read what the gateway says of the tunnel "
        "(`kubectl -n vpn-gateway logs deployment/vpn-gateway`), and that UDP 500 and 4500 leave the site.",
    ),
    "all-tunnels-down": (
        "No tunnel to AWS is up, or the gateway says nothing: the sites cannot reach each other.",
        "The site keeps serving what it has; publish nothing. See that the gateway's pod runs on a node with its "
        "label, that the site's own line is up, and what the gateway says of both tunnels.",
    ),
    "cache-stale": (
        "For {minutes} minutes a cache has not seen the registry, or none reports: servers keep what they have.",
        "See that its pods run (`kubectl -n registry-cache get pods`), then the alerts of the tunnels. Both are well: "
        "read the cache's log (`kubectl -n registry-cache logs statefulset/registry-cache`); refused credentials mean "
        "the role's trust or the cluster's issuer changed.",
    ),
    "label-surge": (
        "Of the texts of {minutes} minutes that the task {task} read here, more are {label} than of the {hours} hours "
        "before: by {percent} % and {points} points at least, which chance does not explain.",
        "On the dashboard see since when, then read what customers wrote since. One cause (a batch, the checkout, a "
        "carrier): tell whoever owns it. A release moved then: the model judges otherwise, move its channel back. One "
        "client sent many texts at once, such as last year's reviews: nothing happened, it ends with the window.",
    ),
    "label-unknown": (
        "For an hour no release in service has had the label {label} of the task {task}: a surge would not be told.",
        "Compare watch.surges with the labels that POST /v1/classify gives; of a task with more than 100 the first 100 "
        "by name are told apart. A release without it came: move its channel back, or take the entry out and run "
        "`pulumi up`.",
    ),
}


def runbook(kind: str, **values: object) -> str:
    """The line for one alert. KeyError when a value is missing that its text speaks of."""
    meaning, first = RUNBOOK[kind]
    return f"{meaning} First: {first}".format(**values)
