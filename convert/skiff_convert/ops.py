"""Where skiff's own operators for onnxruntime are: the library that inference/ort/ops is built to."""

import os
from pathlib import Path

from .errors import ConvertError

VARIABLE = "SKIFF_LIB"
PLACES = (
    Path(__file__).with_name("libskiff.so"),  # of a wheel
    Path(__file__).parents[2] / ".build/lib/libskiff.so",  # of a checkout
)
HINT = "a wheel for this system has it; in a checkout make ops builds it, with a C compiler"


def library() -> Path | None:
    """The library that SKIFF_LIB names, or the package has, or make built; None where there is none, or
    SKIFF_LIB is none.

    ConvertError where SKIFF_LIB names what is not there.
    """
    named = os.environ.get(VARIABLE, "")
    if named == "none":
        return None
    for path in [Path(named)] if named else PLACES:
        if path.is_file():
            return path
    if named:
        raise ConvertError(f"{VARIABLE} names {named}, which is not there", HINT + "; none is without")
    return None
