"""Where the seconds go between the ground and the decision.

Two kinds, never mixed. *Modelled* stages are differences of data time: packets, links, and the
samples that the method has to wait for. *Measured* stages are taken with the monotonic clock of
this machine and say how long the computing took.

========== ======== ============================================================================
packet     modelled pick onset to the end of the packet that holds it
link       modelled end of that packet to its arrival
detect     modelled that arrival to the pick being known: samples the picker waits for
decide     modelled first pick of an event known to its first alert: further stations and
           evidence (one sample per alerted event)
update     modelled age of the newest sample behind a message when the message goes out
compute    measured CPU of the detector for one step of data
encode     measured message to bytes
publish    measured hand-over to the broker until it has acknowledged
deliver    measured publish to receipt on a device
show       measured receipt on a device to the words on its screen
========== ======== ============================================================================
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from eew.clock import NS_PER_S
from eew.model.alert import AlertMessage
from eew.model.event import Pick
from eew.model.waveform import Packet

_KEEP_NS = 20 * NS_PER_S  # of data: a pick is known long before


class ModelledStages:
    """Collects the data-time stages while a run goes on."""

    def __init__(self) -> None:
        self._arrived: deque[tuple[int, Sequence[Packet]]] = deque()
        self._known_ns: dict[int, int] = {}
        self.samples_s: dict[str, list[float]] = {
            "packet": [],
            "link": [],
            "detect": [],
            "decide": [],
            "update": [],
        }

    def packets(self, packets: Sequence[Packet], now_ns: int) -> None:
        """Remember when packets arrived; there are many, so nothing else is done with them."""
        self._arrived.append((now_ns, packets))
        while self._arrived[0][0] < now_ns - _KEEP_NS:
            self._arrived.popleft()

    def pick(self, pick: Pick) -> None:
        """Split the way from the onset to the known pick."""
        self._known_ns.setdefault(pick.time_ns, pick.known_ns)
        for arrived_ns, packets in reversed(self._arrived):
            if arrived_ns < pick.time_ns:
                return
            for packet in packets:
                if (
                    packet.start_ns <= pick.time_ns < packet.end_ns
                    and str(packet.stream_id) == pick.stream
                ):
                    self.samples_s["packet"].append((packet.end_ns - pick.time_ns) / NS_PER_S)
                    self.samples_s["link"].append((arrived_ns - packet.end_ns) / NS_PER_S)
                    self.samples_s["detect"].append((pick.known_ns - arrived_ns) / NS_PER_S)
                    return

    def message(self, message: AlertMessage) -> None:
        """Take the wait for evidence from the first message, the age of the data from all."""
        if message.serial == 1:
            known_ns = self._known_ns.get(message.first_pick_ns, message.first_pick_ns)
            self.samples_s["decide"].append((message.issued_ns - known_ns) / NS_PER_S)
        age_ns = message.issued_ns - message.trace.last_sample_ns
        self.samples_s["update"].append(age_ns / NS_PER_S)

    def frozen(self) -> dict[str, tuple[float, ...]]:
        """Return what was collected; stages without a sample are left out."""
        return {name: tuple(values) for name, values in self.samples_s.items() if values}
