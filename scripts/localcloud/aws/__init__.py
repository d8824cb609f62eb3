"""AWS on one machine: a Pulumi provider over Terraform's, patched moto and the data plane."""
