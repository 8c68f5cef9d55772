"""Where a crowd of phones and televisions lives: by population, drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clients.crowd.places import CrowdPlaces, Labels
from eew.app.country import languages_of
from eew.errors import ConfigError
from eew.model.alert import Status
from simulator.seeds import rng

if TYPE_CHECKING:
    from simulator.population import Places

__all__ = ["CrowdRequest", "draw_crowd", "share_of", "some_of"]

_NS_PER_S = 1_000_000_000
_CLOCK_SIGMA_S = 0.1  # assumption: what network time leaves on a phone
_WRONG_S = 300.0  # a clock that is wrong is so by up to this
MAX_CROWD = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdRequest:
    """What is asked of a crowd.

    Attributes
    ----------
    at : (float, float) or None
        Latitude and longitude, degrees; with it only towns within ``within_km`` count.
    country : str
        ISO 3166-1 alpha-2; only its towns count. Empty: all.
    clocks_wrong : float
        Share of devices whose clock is wrong by up to 5 minutes.
    """

    phones: int
    tvs: int
    at: tuple[float, float] | None = None
    within_km: float = 100.0
    country: str = ""
    languages: tuple[str, ...] = ()
    tree: Status = Status.EXERCISE
    clocks_wrong: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        for key, count in (("--phones", self.phones), ("--tvs", self.tvs)):
            if not 0 <= count <= MAX_CROWD:
                raise ConfigError(key, f"must be 0 to {MAX_CROWD}, was {count}")
        if not self.phones + self.tvs:
            raise ConfigError("--phones", "a crowd needs at least one phone or TV")
        if not 0.0 < self.within_km <= 20_000.0:
            raise ConfigError("--within", f"must be more than 0 km, was {self.within_km:g}")
        if not 0.0 <= self.clocks_wrong <= 1.0:
            raise ConfigError("--clocks-wrong", f"must be 0 to 1, was {self.clocks_wrong:g}")


def towns_for(request: CrowdRequest) -> Places:
    """Return the towns a crowd is drawn from.

    Raises
    ------
    ConfigError
        If there is none.
    """
    from simulator.population import places  # 70 MB: only for the process that draws

    found = places()
    if request.country:
        found = found.in_country(request.country)
        if not len(found):
            raise ConfigError(
                "--country", f"no town known in {request.country!r}", hint="two letters, as in CN"
            )
    if request.at is not None:
        found = found.near(*request.at, request.within_km)
        if not len(found):
            lat, lon = request.at
            raise ConfigError(
                "--at",
                f"no town of 5,000 people within {request.within_km:g} km of {lat:g},{lon:g}",
                hint="a larger --within, or another place",
            )
    return found


def draw_crowd(request: CrowdRequest) -> CrowdPlaces:
    """Return all devices, phones first; the same for the same request."""
    from simulator.population import draw_devices

    towns = towns_for(request)
    lat, lon, names, countries = [], [], [], []
    for kind, count in (("phone", request.phones), ("tv", request.tvs)):
        drawn = draw_devices(towns, count, request.seed, f"crowd {kind}")
        lat.append(drawn.lat)
        lon.append(drawn.lon)
        countries.append(towns.country[drawn.place])
        names.append(towns.name[drawn.place] if kind == "tv" else np.full(count, ""))
    country = np.concatenate(countries).tolist()
    n = len(country)
    return CrowdPlaces(
        kind=Labels.of(["phone"] * request.phones + ["tv"] * request.tvs),
        lat=np.concatenate(lat),
        lon=np.concatenate(lon),
        vs30_mps=np.full(n, np.nan),
        language=Labels.of(_languages(country, request.languages)),
        country=Labels.of(country),
        profile=Labels.of(["default"] * n),
        title=Labels.of(np.concatenate(names).tolist()),
        clock_offset_ns=_clocks(request, n),
        tree=Labels.of([request.tree.value] * n),
    )


def _languages(country: Sequence[str], wanted: Sequence[str]) -> list[str]:
    spoken = {code: wanted or languages_of(code) for code in set(country)}
    return [spoken[code][n % len(spoken[code])] for n, code in enumerate(country)]


def _clocks(request: CrowdRequest, n: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    draws = rng(request.seed, "crowd-clocks")
    offset_s = draws.normal(0.0, _CLOCK_SIGMA_S, n)
    wrong = draws.random(n) < request.clocks_wrong
    offset_s = np.where(wrong, draws.uniform(-_WRONG_S, _WRONG_S, n), offset_s)
    return np.rint(offset_s * _NS_PER_S).astype(np.int64)


def share_of(crowd: CrowdPlaces, share: int, shares: int) -> CrowdPlaces:
    """Return every ``shares``-th device, beginning with number ``share``."""
    return some_of(crowd, slice(share, None, shares), id_prefix=f"{crowd.id_prefix}{share}-")


def some_of(crowd: CrowdPlaces, chosen: slice | NDArray[np.intp], *, id_prefix: str) -> CrowdPlaces:
    """Return some of the devices, in their order."""

    def some(labels: Labels) -> Labels:
        return Labels(labels.words, labels.codes[chosen])

    return CrowdPlaces(
        kind=some(crowd.kind),
        lat=crowd.lat[chosen].copy(),
        lon=crowd.lon[chosen].copy(),
        vs30_mps=crowd.vs30_mps[chosen].copy(),
        language=some(crowd.language),
        country=some(crowd.country),
        profile=some(crowd.profile),
        title=some(crowd.title),
        clock_offset_ns=crowd.clock_offset_ns[chosen].copy(),
        tree=some(crowd.tree),
        id_prefix=id_prefix,
    )
