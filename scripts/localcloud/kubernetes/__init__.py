"""The site's Kubernetes: one real node in the network namespace of the site."""
