"""Components of the on-prem site, on the company's own Kubernetes."""
