"""`pulumi-resource-aws` for the local cloud: Terraform's AWS provider spoken to over tfplugin5."""
