"""A television in a district: a strip of text first, the full panel a moment later."""

from __future__ import annotations

from typing import Any

from clients.device import Device

__all__ = ["TV"]


class TV(Device):
    """A simulated TV; its place is the centre of its district.

    Text is up at once as a strip over the programme; the panel, which takes longer to draw and
    to read, follows. Each new event and each higher level begins with the strip again.

    Parameters
    ----------
    district : str
        Shown on the screen.
    **settings
        As :class:`clients.device.Device`, without ``title``.
    """

    kind = "tv"

    def __init__(self, *, district: str, **settings: Any) -> None:
        super().__init__(title=district, **settings)
