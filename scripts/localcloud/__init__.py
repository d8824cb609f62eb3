"""A cloud on one machine: real engine, real Kubernetes, AWS provider code against moto, namespaces for networks."""
