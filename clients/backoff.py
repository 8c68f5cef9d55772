"""How long a device waits before its next attempt to connect, alone or in a crowd.

Full jitter: evenly between nothing and a limit that doubles with every failure. The limit is
capped so low that everybody is back within seconds of the broker's return (decision 0051).
"""

from __future__ import annotations

from eew.backoff import longest_s

__all__ = ["CAP_S", "FIRST_S", "wait_s"]

# Of 10,000 devices that lose one broker, at most 850 then try in any 0.1 s, and all within 5 s of
# its return.
FIRST_S = 2.0
CAP_S = 5.0


def wait_s(failures: int, draw: float) -> float:
    """Return the wait in s after so many failures in a row; ``draw`` is even in [0, 1)."""
    return draw * longest_s(failures, first_s=FIRST_S, most_s=CAP_S)
