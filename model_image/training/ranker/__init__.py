"""Fits the learned rankers on the signals of a release, and shows by cross-validation what they gain."""
