"""What must come out of a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from simulator.fields import Positive, Table

__all__ = [
    "Expectation",
]


class Expectation(Table, frozen=True, kw_only=True):
    """What a working detector must reach on this scenario; nothing is asked of what is left out.

    Attributes
    ----------
    detected : bool or None
        Whether the quake is alerted.
    no_alert : bool
        True: nobody may be alerted at all.
    events : int or None
        So many events are alerted.
    first_alert_s : float or None
        The first alert is decided within so much of the origin time.
    epicentre_error_km : float or None
        The final message is at most so far off.
    magnitude_error : float or None
        The final magnitude is at most so far off, either way.
    """

    detected: bool | None = None
    no_alert: bool = False
    events: Annotated[int, Meta(ge=0, le=1000)] | None = None
    first_alert_s: Positive | None = None
    epicentre_error_km: Positive | None = None
    magnitude_error: Positive | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that silence is not asked for together with an alert."""
        if self.no_alert:
            for name in ("detected", "events", "first_alert_s", "epicentre_error_km"):
                if getattr(self, name):
                    yield name, "expected nothing of an alert where no_alert is true"
