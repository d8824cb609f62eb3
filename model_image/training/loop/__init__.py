"""The daily way from a shop's tables to a release on trial, in one process or in each of torchrun's."""
