"""The data plane of the local AWS: makes containers, a load balancer and DNS follow what the stacks declared."""
