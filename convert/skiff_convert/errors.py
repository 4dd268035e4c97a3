"""The one error a conversion ends in."""


class ConvertError(Exception):
    """Why a model was not converted: one line, lower case, and what to do about it."""

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.hint = hint
