"""The terms of the sizing: what one broker does, what is asked, a figure and where it is from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from eew.errors import ConfigError
from eew.tables import load_table

__all__ = ["Constants", "Demand", "Line", "constants"]

MAX_PHONES = 10_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """What one broker does, and what is assumed of networks; units in the names."""

    connections_per_leaf: int
    delivery_s: float
    delivery_tls_factor: float
    receive_s: float
    hand_over_s: float
    connect_s: float
    connect_tls_s: float
    connection_kib: float
    connection_tls_kib: float
    overhead_bytes: int
    ping_bytes: int
    busy_share: float
    fibre_km_per_s: float
    route_factor: float
    hop_s: float

    def to_device_s(self, *, tls: bool) -> float:
        """Return the time of a delivery to a device; between brokers it is ``delivery_s``."""
        return self.delivery_s * (self.delivery_tls_factor if tls else 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is asked of the whole system.

    Attributes
    ----------
    phones : int
        Connected at once.
    tv_share : float
        Televisions over phones; they follow the heartbeat.
    felt_share : float
        Share of phones that one alert is for.
    cells : int
        Area cells of one alert: one message each.
    payload_bytes, heartbeat_bytes : int
        Of one message.
    keepalive_s : float
        Between two PINGREQ of a phone without traffic.
    region_share : float
        Share of phones that reconnect at once when a region comes back.
    tls : bool
        Whether devices connect with TLS.
    hubs : int
        That carry the same messages, one in place of the other.
    """

    phones: int
    tv_share: float = 0.05
    felt_share: float = 0.02
    cells: int = 250
    payload_bytes: int = 700
    heartbeat_bytes: int = 250
    keepalive_s: float = 60.0
    region_share: float = 0.1
    tls: bool = True
    hubs: int = 2

    def __post_init__(self) -> None:
        _within("--phones", self.phones, 1, MAX_PHONES)
        _within("--tv-share", self.tv_share, 0.0, 1.0)
        _within("--felt-share", self.felt_share, 0.0, 1.0)
        _within("--region-share", self.region_share, 0.0, 1.0)
        _within("--cells", self.cells, 1, 100_000)
        _within("--payload", self.payload_bytes, 1, 65_536)
        _within("heartbeat_bytes", self.heartbeat_bytes, 1, 65_536)
        _within("--keepalive", self.keepalive_s, 1.0, 65_535.0)
        _within("hubs", self.hubs, 1, 100)

    @property
    def felt(self) -> int:
        """Phones that one alert is for."""
        return round(self.phones * self.felt_share)


@dataclass(frozen=True, slots=True)
class Line:
    """One figure and how it comes about; ``topic`` groups what belongs together."""

    topic: str
    name: str
    value: float
    unit: str
    how: str


@cache
def constants() -> Constants:
    """Return the table of one broker."""
    table = load_table("capacity")
    rows = {**table["measured"], **table["assumed"]}
    return Constants(**{name: row["value"] for name, row in rows.items()})


def _within(key: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also refuses NaN
        raise ConfigError(key, f"must be {low:g} to {high:g}, was {value:g}")
