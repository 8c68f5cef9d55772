"""How long a way of telling the public takes: published quantiles as a distribution to draw from.

Everything here is *modelled*, whatever the figures rest on; what a broker did in a run is measured
elsewhere and never mixed with it. Sources and marks: ``eew/tables/delivery_profiles.toml``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.errors import ConfigError
from eew.tables import load_table
from simulator.seeds import rng

__all__ = ["DeliveryProfile", "access_profile", "delivery_profile", "profile_names"]

Floats = NDArray[np.float64]

_TABLE = "delivery_profiles"
_SHORTEST_S = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryProfile:
    """The delay from hand-over to screen, log-normal in pieces between quantiles.

    Attributes
    ----------
    reached : float
        Share of devices that are told at all, 0 to 1.
    deviates : tuple of float
        Normal deviates of the quantiles, growing; 0 is the median.
    delays_s : tuple of float
        Delays there, s, > 0, growing. Those told before the first or after the last count as told
        there.
    marks : tuple of str
        Where each quantile is from: ``measured``, ``V``, ``V-abs``, ``M`` or ``chosen``.
    """

    name: str
    title: str
    latency: str
    source: str
    reached: float
    reached_mark: str
    deviates: tuple[float, ...]
    delays_s: tuple[float, ...]
    marks: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 0.0 <= self.reached <= 1.0:  # also refuses NaN
            raise ConfigError(f"{self.name}.reached", f"must be 0 to 1, was {self.reached!r}")
        if not self.delays_s or not len(self.delays_s) == len(self.deviates) == len(self.marks):
            raise ConfigError(f"{self.name}.quantiles", "none, or without delay or mark")
        if not _grows(self.deviates) or not _grows((0.0, *self.delays_s)):
            raise ConfigError(
                f"{self.name}.quantiles", f"must grow with p and be above 0, was {self.delays_s!r}"
            )

    def quantile_s(self, share: ArrayLike) -> Floats:
        """Return the delay in s by which a share of those that are told at all are told.

        Parameters
        ----------
        share : array_like
            0 to 1.
        """
        from scipy.special import ndtri  # a third of a second, not for every command

        return self._at(ndtri(np.asarray(share, np.float64)))

    def share_within(self, seconds: ArrayLike) -> Floats:
        """Return the share of all devices that are told within so many seconds; 0 below 0 s."""
        from scipy.special import ndtr  # a third of a second, not for every command

        late = np.log(np.maximum(np.asarray(seconds, np.float64), _SHORTEST_S))
        deviates = np.interp(late, np.log(self.delays_s), self.deviates, left=-np.inf)
        told = np.where(late >= math.log(self.delays_s[-1]), 1.0, ndtr(deviates))
        share: Floats = self.reached * told
        return share

    def draw_s(self, seed: int, *labels: str | int) -> float | None:
        """Draw the delay of one device in s, None where it is not told; the same on every call."""
        drawn = self.draw_many_s(1, seed, *labels)[0]
        return float(drawn) if math.isfinite(drawn) else None

    def draw_many_s(self, count: int, seed: int, *labels: str | int) -> Floats:
        """Draw the delays of devices, s; infinite for those that are not told.

        Parameters
        ----------
        count : int
            How many; more of them do not change those before.
        """
        luck = rng(seed, "delivery-reached", self.name, *labels).random(count)
        deviates = rng(seed, "delivery-delay", self.name, *labels).standard_normal(count)
        delays_s: Floats = np.where(luck < self.reached, self._at(deviates), np.inf)
        return delays_s

    def after(self, other: DeliveryProfile) -> DeliveryProfile:
        """Return the delay of both, one behind the other, who is late here being late there too.

        That is the sum of the quantiles: the widest that two delays can add up to.
        """
        deviates = sorted({*self.deviates, *other.deviates})
        marks = dict(zip(other.deviates, other.marks, strict=True))
        marks |= dict(zip(self.deviates, self.marks, strict=True))
        sums = self._at(np.array(deviates)) + other._at(np.array(deviates))
        return replace(
            self,
            title=f"{self.title}; {other.title}",
            source=f"{self.source}; {other.source}",
            latency="modelled",
            deviates=tuple(deviates),
            delays_s=tuple(float(one) for one in sums),
            marks=tuple(marks[one] for one in deviates),
        )

    def _at(self, deviates: Floats) -> Floats:
        delays_s: Floats = np.exp(np.interp(deviates, self.deviates, np.log(self.delays_s)))
        return delays_s


def profile_names() -> tuple[str, ...]:
    """Return the names of the channels, fastest first."""
    return tuple(str(name) for name in load_table(_TABLE)["order"])


@cache
def delivery_profile(name: str) -> DeliveryProfile:
    """Return the profile of a channel, with the radio behind it where the table says so.

    Raises
    ------
    ConfigError
        If there is no such channel.
    """
    if name not in profile_names():
        raise ConfigError(
            "--channel", f"unknown {name!r}", hint=f"one of {', '.join(profile_names())}"
        )
    row = load_table(_TABLE)[name]
    own = _profile(name, row, latency=str(row["latency"]), reached=row["reached"])
    return own.after(access_profile(str(row["access"]))) if "access" in row else own


@cache
def access_profile(name: str) -> DeliveryProfile:
    """Return the way from a broker's socket to one class of device, ``lte-idle`` or ``wifi``.

    Raises
    ------
    ConfigError
        If there is no such class.
    """
    classes = load_table(_TABLE)["access"]
    if name not in classes:
        raise ConfigError("access", f"unknown {name!r}", hint=f"one of {', '.join(classes)}")
    row = classes[name]
    return _profile(name, row, latency="modelled", reached={"share": 1.0, "mark": "chosen"})


def _profile(
    name: str, row: Mapping[str, Any], *, latency: str, reached: Mapping[str, Any]
) -> DeliveryProfile:
    from scipy.special import ndtri  # a third of a second, not for every command

    quantiles = row["quantiles"]
    return DeliveryProfile(
        name=name,
        title=str(row["title"]),
        latency=latency,
        source=" ".join(str(row["source"]).split()),
        reached=float(reached["share"]),
        reached_mark=str(reached["mark"]),
        deviates=tuple(float(ndtri(float(one["p"]))) for one in quantiles),
        delays_s=tuple(float(one["s"]) for one in quantiles),
        marks=tuple(str(one["mark"]) for one in quantiles),
    )


def _grows(values: Sequence[float]) -> bool:
    return all(before < after for before, after in itertools.pairwise(values))
