"""moto, patched where the AWS provider or our stacks meet a gap, and served on loopback."""
