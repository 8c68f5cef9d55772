"""How the interpreter is set while the detector's thread and the event loop share it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["shared_interpreter"]

# How long the detector's thread may keep the interpreter from the event loop. With Python's 5 ms
# each turn of the loop (a write, an acknowledgement) waits up to that long during a step.
_SWITCH_S = 0.0005


@contextmanager
def shared_interpreter() -> Iterator[None]:
    """Keep the pauses short in which nobody but the detector, or nobody at all, gets on.

    Everything that is there at the beginning (libraries, kernels, tables, stations) stays to the
    end: the garbage collector would look at it again and again, and an alert would wait meanwhile.
    Entering takes the time of one full collection.
    """
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before_s)
