"""A model's own environment, rebuilt only to ask it.

The stages, in the order they are used:

 1. needs     what the model's own files ask for
 2. pythons   a Python of its minor version, on this machine
 3. resolve   every distribution pinned, as of the day the model was logged
    uv        which resolves and installs
 4. cache     environments by content, each made once
 5. build     all of that, tried and mended
 6. session   the model in a process there, asked again and again
    data      what it is asked about and what it answers
    inside/   what runs there, with the model's Python and libraries, and nothing else of skiff
"""

from .build import World, build
from .data import Answer, Frame, FrameColumn, Matrix, Records, Sparse
from .session import Session, SessionError

__all__ = [
    "Answer",
    "Frame",
    "FrameColumn",
    "Matrix",
    "Records",
    "Session",
    "SessionError",
    "Sparse",
    "World",
    "build",
]
