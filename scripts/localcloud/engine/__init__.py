"""The real Pulumi engine, its plugins and its environment for one local cloud."""
