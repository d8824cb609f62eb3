"""HTTP: what comes in and goes out, who may ask, and what is told about it."""
