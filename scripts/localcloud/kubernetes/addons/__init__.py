"""What a company's cluster has beside Kubernetes itself, and the stacks rely on: DNS, metrics, scaling, firewall."""
