"""Deliveries of many devices, gathered until it is worth handing them to the logic together."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clients.crowd.interface import DeviceLogic
from clients.crowd.settings import EngineSettings
from eew.clock import NS_PER_S, Clock

__all__ = ["Batch", "Deliveries"]


@dataclass(frozen=True, slots=True)
class Batch:
    """The deliveries of one round, in order of arrival.

    ``retained`` says which of them the broker had kept from before the device joined. ``at_ns`` and
    ``done_ns`` (when the logic had dealt with all) are UTC of this machine;
    ``utc_minus_monotonic_ns`` turns them into monotonic time.
    """

    device: NDArray[np.int32]
    message: NDArray[np.int32]
    retained: NDArray[np.bool_]
    at_ns: NDArray[np.int64]
    outcome: NDArray[np.int8]
    done_ns: int
    utc_minus_monotonic_ns: int


class Deliveries:
    """What came and is not handed over yet, in order of arrival.

    Parameters
    ----------
    on_batch : callable, optional
        Told of each batch, after the logic.

    Attributes
    ----------
    device, code, at_ns : array
        Of each delivery: the device, its code of ``frames``, and the monotonic time of receipt.
        The loop that reads appends to them itself: a call for each would cost as much as ``recv``.
    """

    def __init__(
        self,
        logic: DeviceLogic,
        settings: EngineSettings,
        clock: Clock,
        on_batch: Callable[[Batch], None] | None,
    ) -> None:
        self._logic, self._settings, self._on_batch = logic, settings, on_batch
        self._now_ns, self._utc_ns = clock.monotonic_ns, clock.utc_ns
        self.device, self.code, self.at_ns = array("i"), array("i"), array("q")

    def __len__(self) -> int:
        return len(self.at_ns)

    def add(self, device: int, code: int, at_ns: int) -> None:
        """Take one delivery."""
        self.device.append(device)
        self.code.append(code)
        self.at_ns.append(at_ns)

    def are_due(self, *, quiet: bool) -> bool:
        """Tell whether to hand over now; ``quiet`` says that nothing more has come."""
        if not self.at_ns:
            return False
        if quiet or len(self.at_ns) >= self._settings.gather_most:
            return True
        return self._now_ns() - self.at_ns[0] >= self._settings.gather_latest_s * NS_PER_S

    def hand_over(self) -> int:
        """Give everything to the logic; return how many deliveries that was."""
        n = len(self.device)
        ahead_ns = self._utc_ns() - self._now_ns()
        device = np.array(self.device, dtype=np.int32)
        code = np.array(self.code, dtype=np.int32)
        message = code >> 1
        at_ns = np.array(self.at_ns, dtype=np.int64) + ahead_ns
        del self.device[:], self.code[:], self.at_ns[:]
        outcome = self._logic.receive(device, message, at_ns)
        if self._on_batch is not None:
            done_ns, retained = self._now_ns() + ahead_ns, (code & 1).astype(np.bool_)
            self._on_batch(Batch(device, message, retained, at_ns, outcome, done_ns, ahead_ns))
        return n
