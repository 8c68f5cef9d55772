"""A phone: a person's own position, language and settings; the whole screen at once."""

from __future__ import annotations

from clients.device import Device

__all__ = ["Phone"]


class Phone(Device):
    """A simulated phone; parameters as :class:`clients.device.Device`.

    Profiles: ``default``, ``plain`` (no seconds), ``night`` (quiet below *take action*),
    ``deaf`` (no sound, long vibration), ``wheelchair`` (lock, cover, hold on).
    """

    kind = "phone"
    vibrates = True
