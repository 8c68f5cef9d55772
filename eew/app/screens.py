"""Which two screens a run shows at its end: one phone and one TV that had something to say."""

from __future__ import annotations

from dataclasses import dataclass

from clients.device import Device
from clients.events import Shown
from clients.policy import policy
from clients.textbox import render_text
from eew.app.places import DevicePlace
from eew.clock import NS_PER_S
from eew.report.result import Screen

_USEFUL_LEAD_S = 3.0


@dataclass(frozen=True, slots=True)
class _Kept:
    rank: tuple[int, bool, bool, bool, float]
    screen: Screen


class ScreenKeeper:
    """Keeps, per kind of device, the most telling screen so far.

    That is the highest level asked for, told in time, knowing a shelter, at the centre of a
    place, with the strongest shaking; of equals the first.
    """

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def consider(self, device: Device, place: DevicePlace, shown: Shown, at_ns: int) -> None:
        """Look at a device that has just shown something new."""
        estimate = device.estimate_of(shown.event_id)
        if estimate is None:
            return
        lead_s = (estimate.s_arrival_ns - at_ns) / NS_PER_S
        rank = (
            shown.level.rank,
            lead_s >= _USEFUL_LEAD_S,
            device.help_facts().shelter is not None,
            place.at_centre,
            estimate.intensity,
        )
        before = self._kept.get(device.kind)
        if before is not None and before.rank >= rank:
            return
        # a TV begins with a strip of text; its panel says more
        later_ns = round(policy().strip_s * NS_PER_S) if device.kind == "tv" else 0
        text = render_text(device.presentation(at_ns + later_ns))
        screen = Screen(
            device=device.id,
            kind=device.kind,
            site=place.site.name,
            at_ns=at_ns + later_ns,
            text=text,
        )
        self._kept[device.kind] = _Kept(rank, screen)

    def screens(self) -> tuple[Screen, ...]:
        """Return the phone's screen, then the TV's, as far as there are any."""
        return tuple(self._kept[kind].screen for kind in ("phone", "tv") if kind in self._kept)
