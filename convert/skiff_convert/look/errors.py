"""Why a file could not be looked into."""

from ..errors import ConvertError


class LookError(ConvertError):
    """A model file that cannot be read without running it: one line, and what to do about it."""


DAMAGED = "is the file complete? download it again, or log the model again"
