"""What can be asked of ``eew crowd``, checked before anything begins."""

from __future__ import annotations

from dataclasses import dataclass, field

from clients.crowd.trips import FASTEST_KMH
from eew.app.crowd_places import CrowdRequest
from eew.errors import ConfigError

__all__ = ["CrowdOptions", "parse_shares"]

MAX_PROCS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdOptions:
    """What is asked of a run; ``for_s`` None goes on until it is stopped.

    ``travelling`` is the share of phones that are on the road, each at ``speed_kmh``.
    """

    request: CrowdRequest
    procs: int = 1
    shares: dict[str, float] = field(default_factory=dict)
    receipts: float = 0.0
    travelling: float = 0.0
    speed_kmh: float = 100.0
    for_s: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.procs <= MAX_PROCS:
            raise ConfigError("--procs", f"must be 1 to {MAX_PROCS}, was {self.procs}")
        if not 0.0 <= self.receipts <= 1.0:
            raise ConfigError("--receipts", f"must be 0 to 1, was {self.receipts:g}")
        if not 0.0 <= self.travelling <= 1.0:
            raise ConfigError("--travelling", f"must be 0 to 1, was {self.travelling:g}")
        if not 0.0 < self.speed_kmh <= FASTEST_KMH:
            raise ConfigError(
                "--speed", f"must be above 0 and up to {FASTEST_KMH:g} km/h, was {self.speed_kmh:g}"
            )
        if self.for_s is not None and not self.for_s > 0.0:
            raise ConfigError("--for", f"must be more than 0 s, was {self.for_s:g}")
        devices = self.request.phones + self.request.tvs
        if self.procs > devices:
            raise ConfigError("--procs", f"{self.procs} processes for {devices} devices")


def parse_shares(text: str) -> dict[str, float]:
    """Read ``wifi=0.5,doze=0.1``.

    Raises
    ------
    ConfigError
        Naming what is wrong.
    """
    shares: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = part.partition("=")
        try:
            if not equals:
                raise ValueError(part)
            shares[name.strip()] = float(value)
        except ValueError:
            raise ConfigError(
                "--profile-shares", f"{part!r} is no share", hint="for example doze=0.1,wifi=0.6"
            ) from None
    return shares
