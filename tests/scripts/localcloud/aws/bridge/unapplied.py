"""Inputs of pulumi-aws 7 that terraform-provider-aws 5.100 lacks, for the types that our components declare.

They came with provider 6, or the SDK lets one say what only AWS sets. A component may use one only where the config can
switch it off, because every component must run in the local cloud.
"""

SWITCHABLE = {  # what the production example says of it -> what switches it off
    f"aws_vpn_connection.tunnel{number}LogOptions.cloudwatchLogOptions.{name}": "hybrid-serving:vpn.bgpLogs"
    for number in (1, 2)
    for name in ("bgpLogEnabled", "bgpLogGroupArn", "bgpLogOutputFormat")
}

UNAPPLIED: dict[str, tuple[str, ...]] = {
    # Keys that leave AWS, and keys that come from elsewhere: ours is made by AWS and stays there.
    "aws_acm_certificate": ("options.export", "privateKeyWo", "privateKeyWoVersion"),
    # Instances that stay after a hook was abandoned: ours end.
    "aws_autoscaling_group": ("instanceLifecyclePolicy",),
    # Only AWS sets the first two. Budgets by filter expression or in another account's view: ours filters by tags.
    "aws_budgets_budget": (
        "autoAdjustData.historicalOptions.lookbackAvailablePeriods",
        "autoAdjustData.lastAutoAdjustTime",
        "billingViewArn",
        "filterExpression",
        "metrics",
    ),
    # `protect` says the same to the engine.
    "aws_cloudwatch_log_group": ("deletionProtectionEnabled",),
    "aws_cloudwatch_log_resource_policy": ("resourceArn",),
    # Alarms on queries of Prometheus metrics.
    "aws_cloudwatch_metric_alarm": (
        "evaluationCriteria",
        "evaluationInterval",
        "evaluationWindow",
        "warmUpConfiguration",
    ),
    "aws_ec2_transit_gateway": ("encryptionSupport",),
    # Ours has no exception: no tag can be moved.
    "aws_ecr_repository": ("imageTagMutabilityExclusionFilters",),
    "aws_flow_log": ("regionalNatGatewayId", "tagFieldSpecifications"),
    # A wait of the provider's, nothing of AWS's.
    "aws_iam_policy": ("delayAfterPolicyCreationInMs",),
    # Never applied here: moto has no Image Builder, and `hybrid-serving:fleet.ami.bake` is off.
    "aws_imagebuilder_image": ("loggingConfiguration",),
    # Tags of the machine image: a distribution sets them, for each region.
    "aws_imagebuilder_image_recipe": ("amiTags",),
    "aws_launch_template": (
        "cpuOptions.nestedVirtualization",
        "networkInterfaces.enaQueueCount",
        "networkPerformanceOptions",
        "placement.groupId",
        "secondaryInterfaces",
    ),
    "aws_lb": (
        "enablePrefixForIpv6SourceNat",
        "healthCheckLogs",
        "secondaryIpsAutoAssignedPerSubnet",
        "subnetMappings.outpostId",
    ),
    # Tokens checked by the load balancer: the service has no log-in.
    "aws_lb_listener": ("defaultActions.jwtValidation",),
    "aws_lb_target_group": ("targetControlPort",),
    # A NAT gateway over all zones of a region: ours are one a zone, or one.
    "aws_nat_gateway": ("availabilityMode", "availabilityZoneAddresses", "vpcId"),
    "aws_route": ("odbNetworkArn",),
    # Names in a namespace of the account's own; customer-given keys refused by the bucket.
    "aws_s3_bucket": ("bucketNamespace", "serverSideEncryptionConfiguration.rule.blockedEncryptionTypes"),
    # Only AWS sets it.
    "aws_s3_bucket_logging": ("targetGrants.grantee.displayName",),
    "aws_s3_bucket_public_access_block": ("skipDestroy",),
    "aws_s3_bucket_server_side_encryption_configuration": ("rules.blockedEncryptionTypes",),
    "aws_sns_topic": ("maximumMessageSize",),
    # Addresses given out by IPAM: ours are arithmetic (`infra.addresses`).
    "aws_subnet": ("ipv4IpamPoolId", "ipv4NetmaskLength", "ipv6IpamPoolId", "ipv6NetmaskLength"),
    "aws_vpc_endpoint": ("dnsOptions.privateDnsPreference", "dnsOptions.privateDnsSpecifiedDomains"),
    # The BGP sessions' log is what we want and switch off here (see above); concentrators and large tunnels are not.
    "aws_vpn_connection": (
        *(path.partition(".")[2] for path in SWITCHABLE),
        "tunnelBandwidth",
        "vpnConcentratorId",
    ),
    "aws_wafv2_web_acl": (
        "monetizationConfig",
        "rules.statement.managedRuleGroupStatement.managedRuleGroupConfigs.awsManagedRulesAntiDdosRuleSet",
        "rules.statement.rateBasedStatement.customKeys.asn",
        "rules.statement.ruleGroupReferenceStatement.excludedRules",
    ),
}
