"""Why preparing ends early."""


class DataError(Exception):
    """Nothing was published; the message names the place and the way out."""


class InputError(DataError):
    """The tables or the settings are at fault."""


class RunError(DataError):
    """The machine is: the disk, the memory, or another run on the same folder."""
