"""What the caller holds of an alert that was handed over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eew.egress.outbox import Ticket

__all__ = ["PublishReceipt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReceipt:
    """What becomes of one alert message.

    Attributes
    ----------
    topics : tuple of str
        Where the live copies go, in order.
    payload : bytes
        Encoded once for all topics.
    sent_ns : int
        Monotonic ns at the hand-over.
    """

    event_id: str
    serial: int
    topics: tuple[str, ...]
    payload: bytes
    sent_ns: int
    ticket: Ticket = field(repr=False)

    @property
    def taken_ns(self) -> int | None:
        """Monotonic ns at which the broker had acknowledged the last copy; None until then."""
        return None if self.ticket.n_waiting else self.ticket.taken_ns

    @property
    def overtaken(self) -> Sequence[str]:
        """Topics where a newer message took the place of this one before it had left."""
        return self.ticket.superseded_topics

    @property
    def is_overtaken(self) -> bool:
        """Whether no copy ever left, because a newer message came first."""
        return bool(self.overtaken) and not self.ticket.n_waiting and not self.ticket.n_taken

    @property
    def n_bytes(self) -> int:
        """Size of the payload."""
        return len(self.payload)

    async def over(self) -> None:
        """Wait until no copy waits for the broker any more, whatever became of it."""
        await self.ticket.over()
