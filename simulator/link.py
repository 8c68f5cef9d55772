"""The way from a station to the detector: a constant delay per station.

Telemetry over cellular and fibre links takes 0.2 to 1 s, packetisation apart; each station has a
delay of its own, and a few are much slower than the middle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from eew.clock import NS_PER_S
from eew.errors import ConfigError
from simulator.seeds import rng

__all__ = ["LinkDelay"]

DEFAULT_MEDIAN_S = 0.3
DEFAULT_SIGMA_LN = 0.35  # 90 % of stations between 0.17 and 0.53 s
_LARGEST_S = 60.0
_CAP_MEDIANS = 4.0  # about 4 sigma: one station in 27,000


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDelay:
    """Log-normal delay, drawn once per station.

    Attributes
    ----------
    median_s : float
        Median over stations, s, 0 to 60; 0 means no delay at all.
    sigma_ln : float
        Standard deviation of the logarithm; 0 gives every station the median.
    seed : int
        The run's seed.
    """

    median_s: float = DEFAULT_MEDIAN_S
    sigma_ln: float = DEFAULT_SIGMA_LN
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.median_s <= _LARGEST_S:  # also refuses NaN
            raise ConfigError("delay", f"must be 0 to {_LARGEST_S:g} s, was {self.median_s!r}")
        if not (self.sigma_ln >= 0.0 and math.isfinite(self.sigma_ln)):
            raise ConfigError("sigma_ln", f"must be finite and >= 0, was {self.sigma_ln!r}")

    @classmethod
    def fixed(cls, delay_s: float) -> LinkDelay:
        """Give every station the same delay in s."""
        return cls(median_s=delay_s, sigma_ln=0.0)

    def delay_ns(self, station: str) -> int:
        """Return the delay of a station (``NET.STA``) in ns; the same on every call.

        Capped at four times the median: a slower link is an outage, not a delay.
        """
        if self.median_s == 0.0 or self.sigma_ln == 0.0:
            return round(self.median_s * NS_PER_S)
        factor = math.exp(self.sigma_ln * rng(self.seed, "link-delay", station).standard_normal())
        return round(self.median_s * min(factor, _CAP_MEDIANS) * NS_PER_S)
