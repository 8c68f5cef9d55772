"""What happened to a crowd, in counts and histograms; those of several processes are added up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clients.crowd.deliveries import Batch
from clients.crowd.histogram import Histogram
from clients.crowd.message_log import MessageLog
from clients.crowd.outcome import Outcome

__all__ = ["Tally", "merge"]

_N_OUTCOMES = len(Outcome)


class Tally:
    """The figures of one process.

    Latencies are from ``sent`` in the payload to the receipt, and to when the logic had dealt
    with the round; only of alerts that came live, not of those kept for who joins late.

    Parameters
    ----------
    profiles : tuple of str
        Names of the profiles.
    profile_of : ndarray of int8
        Index into them for each device.
    """

    def __init__(
        self, profiles: tuple[str, ...], profile_of: NDArray[np.int8], log: MessageLog
    ) -> None:
        self._profiles, self._profile_of, self._log = profiles, profile_of, log
        self._outcomes = np.zeros((len(profiles), _N_OUTCOMES), dtype=np.int64)
        self._told = np.zeros(profile_of.size, dtype=np.bool_)
        self._shown = np.zeros(profile_of.size, dtype=np.bool_)
        self._received = {name: Histogram() for name in profiles}
        self._on_screen = {name: Histogram() for name in profiles}

    def take(self, batch: Batch) -> None:
        """Count the deliveries of one round."""
        profile = self._profile_of[batch.device].astype(np.int64)
        outcome = batch.outcome.astype(np.int64)
        self._outcomes += np.bincount(
            profile * _N_OUTCOMES + outcome, minlength=self._outcomes.size
        ).reshape(self._outcomes.shape)
        taken = outcome <= Outcome.RECEIVED
        if not taken.any():
            return
        shown = outcome == Outcome.SHOWN
        self._told[batch.device[taken]] = True
        self._shown[batch.device[shown]] = True
        sent_ns = self._log.sent_ns(batch.message)
        live = taken & ~batch.retained & (sent_ns > 0)
        # not np.unique: numpy imports its masked arrays for it, 2 MB
        for number in np.flatnonzero(np.bincount(profile[live])).tolist():
            name = self._profiles[number]
            mine = live & (profile == number)
            self._received[name].add_ns(batch.at_ns[mine] - sent_ns[mine])
            mine &= shown
            self._on_screen[name].add_ns(batch.done_ns - sent_ns[mine])

    def to_json(self) -> dict[str, Any]:
        """Return all figures, as :func:`merge` takes them."""
        devices = np.bincount(self._profile_of, minlength=len(self._profiles))
        by_profile = {}
        for number, name in enumerate(self._profiles):
            mine = self._profile_of == number
            by_profile[name] = {
                "devices": int(devices[number]),
                "told": int((self._told & mine).sum()),
                "shown": int((self._shown & mine).sum()),
                "outcomes": {
                    code.label: int(self._outcomes[number, code])
                    for code in Outcome
                    if self._outcomes[number, code]
                },
                "received": self._received[name].to_json(),
                "on_screen": self._on_screen[name].to_json(),
            }
        return by_profile


def merge(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up what :meth:`Tally.to_json` gave in several processes."""
    total: dict[str, Any] = {}
    for part in parts:
        for name, found in part.items():
            if name not in total:
                total[name] = {
                    "devices": 0, "told": 0, "shown": 0, "outcomes": {},
                    "received": Histogram(), "on_screen": Histogram(),
                }  # fmt: skip
            sums = total[name]
            for key in ("devices", "told", "shown"):
                sums[key] += found[key]
            for label, count in found["outcomes"].items():
                sums["outcomes"][label] = sums["outcomes"].get(label, 0) + count
            for key in ("received", "on_screen"):
                sums[key].merge(Histogram.from_json(found[key]))
    return total
