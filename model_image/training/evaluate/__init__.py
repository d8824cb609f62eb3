"""What a release is worth: rankings, probabilities and numbers measured with their uncertainty, against others."""
