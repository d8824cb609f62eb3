"""The releases in memory: taken, tried, swapped, and closed when nobody uses them any more."""
