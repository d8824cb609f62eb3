"""Reusable components of the two serving sites; none of them knows a stack's name or reads config."""
