"""What devices say of themselves over their own connection, for a sample of deliveries.

A receipt has times and an outcome, and a name that lasts until the program ends: neither where
the device is nor anything by which it could be known again. They leave after the burst, for the
reason for which PUBACKs do.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from clients.crowd.deliveries import Batch
from clients.crowd.engine import Engine
from clients.crowd.message_log import MessageLog, Named
from clients.crowd.outcome import Outcome
from clients.crowd.sockets import RECEIPT
from eew.messages.control_wire import Ack, encode_ack
from eew.messages.topics import ack_topic
from eew.model.alert import Status

__all__ = ["Receipts"]

_MOST_WAITING = 100_000


class Receipts:
    """Draws the sample and publishes it.

    Parameters
    ----------
    share : float
        Part of the taken alerts that is answered, 0 to 1.
    clock_offset_ns : ndarray of int64
        How far each device's clock is ahead: it says its own time.
    tree : Status
        Which tree of topics the receipts are for.
    """

    def __init__(
        self,
        share: float,
        log: MessageLog,
        clock_offset_ns: NDArray[np.int64],
        rng: np.random.Generator,
        tree: Status = Status.EXERCISE,
    ) -> None:
        self._tree = tree
        self._share, self._log, self._offset_ns, self._rng = share, log, clock_offset_ns, rng
        self._waiting: deque[tuple[int, Named, bool, int, int]] = deque(maxlen=_MOST_WAITING)
        self.n_sent = 0

    def take(self, batch: Batch) -> None:
        """Draw which of the deliveries of a round will be answered."""
        if not self._share:
            return
        taken = np.flatnonzero(batch.outcome <= Outcome.RECEIVED)
        chosen = taken[self._rng.random(taken.size) < self._share]
        for row in chosen.tolist():
            device = int(batch.device[row])
            named = self._log.name(int(batch.message[row]))
            if named is None:
                continue
            offset_ns = int(self._offset_ns[device])
            shown = batch.outcome[row] == Outcome.SHOWN
            received_ns = int(batch.at_ns[row]) + offset_ns
            self._waiting.append(
                (device, named, bool(shown), received_ns, batch.done_ns + offset_ns)
            )

    def send(self, engine: Engine, most: int = 200) -> None:
        """Publish what is waiting, some at a time."""
        for _ in range(min(most, len(self._waiting))):
            device, named, shown, received_ns, done_ns = self._waiting.popleft()
            name = engine.identity(device, RECEIPT)
            ack = Ack(
                id=name,
                event_id=named.event_id,
                serial=named.serial,
                outcome="shown" if shown else "received",
                received_ns=received_ns,
                shown_ns=done_ns if shown else None,
                reason="" if shown else "not_shown",
            )
            if engine.publish(device, ack_topic(name, tree=self._tree), encode_ack(ack)):
                self.n_sent += 1
