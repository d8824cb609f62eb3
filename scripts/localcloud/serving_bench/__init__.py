"""`scripts/bench serving`: our server beside its peers on the same weights, workload and cores, in one run."""
