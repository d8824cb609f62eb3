"""What stops a training run. Needs no torch."""


class TrainInputError(Exception):
    """A setting, the examples, the base model or the output folder cannot be used: field, value, rule and way out."""


class TrainError(Exception):
    """The run cannot go on; the message names the step, and what is left to go on from."""
