"""Route 53 on one machine: answers and health checks from what the stacks declared."""
