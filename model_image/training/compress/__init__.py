"""Smaller and faster models for a release that is built and not yet sealed, where its rankings stay as they are."""
