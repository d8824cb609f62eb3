"""The error of this layer."""


class MeasureError(Exception):
    """What was given cannot be measured; the message says what, the value seen, the rule and the way out."""
