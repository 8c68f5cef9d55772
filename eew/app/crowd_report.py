"""The figures of a crowd: what its processes say, added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clients.crowd.histogram import Histogram
from clients.crowd.network_profile import Asleep, NetworkProfile, builtin_profiles
from clients.crowd.tally import merge

__all__ = ["CrowdReport", "add_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdReport:
    """The figures of all processes at one moment.

    Attributes
    ----------
    set_aside : dict
        Devices that do not take part, by reason.
    wanted : int
        Devices that should be connected now: not those that are in flight mode, switched off
        or dead.
    travel : dict
        How many phones travel, how often one was moved, and came into another area.
    refused : dict
        Deliveries refused, by reason of the devices' logic.
    profiles : dict
        By profile: devices, told, shown, outcomes, and histograms ``received`` and ``on_screen``.
    latency : Histogram
        Sent to received, over all devices whose radio never sleeps.
    """

    devices: int
    set_aside: dict[str, int]
    wanted: int
    up: int
    told: int
    shown: int
    deliveries: int
    receipts: int
    travel: dict[str, int]
    failure: str
    connections: dict[str, int]
    logic: dict[str, int]
    memory: list[dict[str, float]]
    profiles: dict[str, Any]
    latency: Histogram
    screen_latency: Histogram
    connect_s: float | None = None
    ran_s: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the report as a document."""
        modelled = {profile.name: profile for profile in builtin_profiles()}
        return {
            "simulation": True,
            "devices": self.devices,
            "set_aside": self.set_aside,
            "connected": self.up,
            "should_be_connected": self.wanted,
            "told": self.told,
            "shown": self.shown,
            "deliveries": self.deliveries,
            "receipts_sent": self.receipts,
            "travel": self.travel,
            "connect_s": self.connect_s,
            "ran_s": round(self.ran_s, 3),
            "clock": "UTC of this machine minus `sent` of the payload; 0 where that is ahead",
            "received": self.latency.summary(),
            "shown_latency": self.screen_latency.summary(),
            "profiles": {
                name: {
                    **{key: row[key] for key in ("devices", "told", "shown", "outcomes")},
                    "received": row["received"].summary(),
                    "shown_latency": row["on_screen"].summary(),
                    "modelled_one_way_ms": modelled[name].round_trip_ms / 2.0,
                    "histogram": row["received"].to_json(),
                }
                for name, row in self.profiles.items()
            },
            "logic": self.logic,
            "connections": self.connections,
            "memory": self.memory,
        }


def add_up(
    parts: list[dict[str, Any]],
    *,
    n_devices: int,
    set_aside: dict[str, int],
    connect_s: float | None,
    ran_s: float,
) -> CrowdReport:
    """Return the sum of what the processes have said; the rest is as in the report."""
    profiles = merge([part["tally"] for part in parts])
    awake = _awake(builtin_profiles())
    latency, screen = Histogram(), Histogram()
    for name, row in profiles.items():
        if name in awake:
            latency.merge(row["received"])
            screen.merge(row["on_screen"])
    return CrowdReport(
        devices=n_devices,
        set_aside=set_aside,
        wanted=sum(part["wanted"] for part in parts),
        up=sum(part["up"] for part in parts),
        told=sum(row["told"] for row in profiles.values()),
        shown=sum(row["shown"] for row in profiles.values()),
        deliveries=sum(part["deliveries"] for part in parts),
        receipts=sum(part["receipts"] for part in parts),
        travel=_added([part["travel"] for part in parts]),
        failure=next((part["failure"] for part in parts if part["failure"]), ""),
        connections=_added([part["engine"] for part in parts]),
        logic=_added([part["logic"] for part in parts]),
        memory=[part["memory"] for part in parts],
        profiles=profiles,
        latency=latency,
        screen_latency=screen,
        connect_s=connect_s,
        ran_s=ran_s,
    )


def _awake(profiles: tuple[NetworkProfile, ...]) -> set[str]:
    return {profile.name for profile in profiles if profile.asleep is Asleep.NEVER}


def _added(parts: list[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for name, count in part.items():
            total[name] = total.get(name, 0) + count
    return dict(sorted(total.items()))
