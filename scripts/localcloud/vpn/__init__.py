"""The VPN, for real: AWS's tunnel ends and the site's gateway as processes in their network namespaces."""
