"""The seam for what nobody may be able to guess or repeat: keys, and identities of one start.

Everything a result depends on is drawn from the run's seed (``simulator.seeds``). What comes from
here must differ each time, so nothing computed may depend on it (lint rule TID251).
"""

from __future__ import annotations

import os

__all__ = ["fresh_bytes", "fresh_seed"]


def fresh_bytes(n: int) -> bytes:
    """Return ``n`` bytes from the operating system, fit for a private key."""
    return os.urandom(n)


def fresh_seed() -> int:
    """Return a seed for what must differ from start to start, such as a device's receipt id."""
    return int.from_bytes(fresh_bytes(8), "big") >> 1
