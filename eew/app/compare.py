"""``eew compare icl``: our warnings beside published ones, city by city."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from eew.app.country import country_of
from eew.app.parallel import check_jobs, map_in_order
from eew.app.trial import PlaceOutcome, Trial, run_trial
from eew.app.warnings_table import WarningRow, read_warnings
from eew.model.place import Site
from eew.physics.geo import azimuth_deg, destination, epicentral_distance_km
from simulator.catalogue import CatalogueQuake, Sources, catalogue_names, catalogue_quake
from simulator.seeds import rng

__all__ = ["ComparedRow", "Comparison", "compare_warnings", "place_of"]

NETWORK = "icl"
_SAME_PLACE_KM = 30.0
_FAR_NAMESAKE_KM = 100.0  # beyond the distance in the table: another town of that name


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """One published warning with ours beside it.

    Attributes
    ----------
    first_alert_s : float or None
        Our first alert, s after the origin; None where the quake was not alerted.
    """

    row: WarningRow
    place: PlaceOutcome
    first_alert_s: float | None

    @property
    def lead_time_s(self) -> float | None:
        """From our first alert to the S wave at the place."""
        return None if self.first_alert_s is None else self.place.s_arrival_s - self.first_alert_s

    @property
    def predicted_intensity(self) -> float | None:
        """For the place, in the message that told it; in the last one where none did."""
        return self.place.told_intensity

    @property
    def lead_time_holds(self) -> bool | None:
        """Whether our lead time is at least the published one less 1 s; None where none is."""
        if self.row.warning_s is None:
            return None
        return self.lead_time_s is not None and self.lead_time_s >= self.row.warning_s - LATER_S

    @property
    def intensity_holds(self) -> bool | None:
        """Whether our intensity is within 0.7 of the published one; None where none is."""
        if self.row.intensity is None:
            return None
        ours = self.predicted_intensity
        return ours is not None and abs(ours - self.row.intensity) <= INTENSITY_BAND


LATER_S = 1.0
INTENSITY_BAND = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All rows of a table, in its order, and the quakes they are of."""

    rows: tuple[ComparedRow, ...]
    trials: tuple[Trial, ...]
    network: str
    seed: int


def compare_warnings(
    table: Path,
    *,
    seed: int,
    jobs: int,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> Comparison:
    """Compute every quake of a table on an ICL-like network, and what its places were told.

    Raises
    ------
    DataError
        If the table cannot be used.
    """
    check_jobs(jobs)
    rows = read_warnings(table)
    events = list({row.event_id: None for row in rows})
    groups = [tuple(row for row in rows if row.event_id == event) for event in events]
    trials = map_in_order(
        partial(_trial, seed=seed),
        groups,
        jobs=jobs,
        cost=lambda group: group[0].magnitude,
        progress=lambda group, done: progress(group[0].event_id, done, len(groups)),
    )
    compared = {}
    for group, trial in zip(groups, trials, strict=True):
        places = {place.site.name: place for place in trial.places}
        for row in group:
            compared[id(row)] = ComparedRow(
                row=row, place=places[site_name(row)], first_alert_s=trial.first_alert_s
            )
    return Comparison(
        rows=tuple(compared[id(row)] for row in rows),
        trials=tuple(trials),
        network=NETWORK,
        seed=seed,
    )


def site_name(row: WarningRow) -> str:
    """Return a name that only one place of a quake has."""
    return f"{row.place} ({row.distance_km:g} km)"


def place_of(row: WarningRow, seed: int) -> Site:
    """Place a city: at the distance the table gives, in the direction of the city of that name.

    Where no city of that name is near, the direction is drawn from the seed.
    """
    bearing = _bearing_deg(row)
    if bearing is None:
        bearing = float(rng(seed, "direction", row.event_id, row.place).uniform(0.0, 360.0))
    lat, lon = destination(row.lat, row.lon, bearing, row.distance_km)
    return Site(name=site_name(row), lat=float(lat), lon=float(lon))


def _bearing_deg(row: WarningRow) -> float | None:
    from simulator.population import places

    cities = places()
    wanted = _folded(row.place)
    same = np.flatnonzero([_folded(name) == wanted for name in cities.name])
    if not len(same):
        return None
    away_km = np.asarray(
        epicentral_distance_km(row.lat, row.lon, cities.lat[same], cities.lon[same])
    )
    nearest = int(np.argmin(np.abs(away_km - row.distance_km)))
    if abs(away_km[nearest] - row.distance_km) > _FAR_NAMESAKE_KM:
        return None
    city = int(same[nearest])
    return float(azimuth_deg(row.lat, row.lon, cities.lat[city], cities.lon[city]))


def _folded(name: str) -> str:
    """Return the letters of a name alone, without case and accents: Ya'an is Yaan."""
    plain = unicodedata.normalize("NFKD", str(name)).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def _quake(row: WarningRow) -> CatalogueQuake:
    """Return the quake of a row: place, depth and size are the row's, always.

    What else is known of it (mechanism, plane) is that of the catalogue, where that has a quake of
    the same name at about the same place.
    """
    if row.event_id in catalogue_names():
        known = catalogue_quake(row.event_id)
        if epicentral_distance_km(row.lat, row.lon, known.lat, known.lon) <= _SAME_PLACE_KM:
            return msgspec.structs.replace(
                known,
                origin_time=row.origin_time,
                lat=row.lat,
                lon=row.lon,
                depth_km=row.depth_km,
                magnitude=row.magnitude,
            )
    return CatalogueQuake(
        name=re.sub(r"[^A-Za-z0-9._-]", "-", row.event_id)[:64],
        place=row.event_id,
        origin_time=row.origin_time,
        lat=row.lat,
        lon=row.lon,
        depth_km=row.depth_km,
        magnitude=row.magnitude,
        magnitude_type="M",
        country=country_of(row.lat, row.lon) or "CN",
        region="",
        setting="crust",
        sources=Sources(hypocentre="table", magnitude="table"),
    )


def _trial(rows: Sequence[WarningRow], *, seed: int) -> Trial:
    from simulator.scenario import quake_scenario
    from simulator.synthesise import compute

    scenario = quake_scenario(_quake(rows[0]), network=NETWORK)
    sites = {site_name(row): place_of(row, seed) for row in rows}
    return run_trial(compute(scenario, seed), tuple(sites.values()), seed=seed)
