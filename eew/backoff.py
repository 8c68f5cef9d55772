"""How long to wait before the next attempt to connect, so that many do not stampede.

Exponential backoff with jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
Blog, 2015).
"""

from __future__ import annotations

import numpy as np

__all__ = ["Backoff", "longest_s"]


def longest_s(failures: int, *, first_s: float, most_s: float) -> float:
    """Return the longest wait in s after so many failures in a row: doubled by each, bounded."""
    return float(min(most_s, first_s * 2.0 ** min(failures, 30)))


class Backoff:
    """Growing, jittered waits between attempts to connect, so that a crowd does not stampede.

    The n-th wait is drawn evenly from ``least_share`` to all of ``first_s * 2**n``, at most
    ``most_s``. The defaults are for one publisher; many who lose one broker at once must not
    come back at once (decision 0051).
    """

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        first_s: float = 0.25,
        most_s: float = 8.0,
        least_share: float = 0.5,
    ) -> None:
        self._rng = rng
        self._least_share = least_share
        self._first_s = first_s
        self._most_s = most_s
        self._n = 0

    def next_s(self) -> float:
        """Return the next wait in s."""
        full_s = longest_s(self._n, first_s=self._first_s, most_s=self._most_s)
        self._n += 1
        return full_s * float(self._rng.uniform(self._least_share, 1.0))

    def reset(self) -> None:
        """Begin again with the shortest wait: the connection stood."""
        self._n = 0
