"""Who waits, who is next, and the threads that compute."""
