"""What can be wrong with the signals of a release."""


class SignalsError(Exception):
    """A file of a release's signals is missing, damaged or of another catalogue; the message names file and rule."""
