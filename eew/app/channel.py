"""The delays of a channel that is modelled, per device and event."""

from __future__ import annotations

from dataclasses import dataclass, field

from eew.app.options import RunOptions
from eew.clock import NS_PER_S
from simulator.delivery_profile import DeliveryProfile, delivery_profile

__all__ = ["ModelledChannel"]


@dataclass(slots=True)
class ModelledChannel:
    """Draws when a device is told.

    One delay for each device and event: what makes a phone slow (asleep, far from its mast) does
    not change within seconds, and messages of one event do not overtake each other.
    """

    profile: DeliveryProfile
    seed: int
    _drawn: dict[tuple[str, str], int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, options: RunOptions) -> ModelledChannel | None:
        """Return the channel that a run asks for; None where messages really go out."""
        if not options.is_channel_modelled:
            return None
        return cls(delivery_profile(options.channel), options.seed)

    def delay_ns(self, device_id: str, event_id: str) -> int | None:
        """Return how long a device waits for the messages of an event; None: it is not told."""
        key = (device_id, event_id)
        if key not in self._drawn:
            delay_s = self.profile.draw_s(self.seed, device_id, event_id)
            self._drawn[key] = None if delay_s is None else round(delay_s * NS_PER_S)
        return self._drawn[key]
