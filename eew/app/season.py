"""``eew season``: every quake of a year through the chain, and everybody who was told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from eew.app.parallel import check_jobs, map_in_order
from eew.app.trial import PlaceOutcome, Trial, run_trial
from eew.model.alert import Level
from eew.model.place import Site
from simulator.catalogue import CatalogueQuake
from simulator.season import Season, season, season_quakes

__all__ = ["QuakeOfSeason", "SeasonRun", "run_quake", "run_season"]

_LEVELS = (Level.TAKE_ACTION, Level.BE_AWARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuakeOfSeason:
    """What one quake of a season came to.

    Attributes
    ----------
    people : dict of Level to int
        Who lives where phones showed an alert, by the highest level shown.
    places_told : int
        In how many places somebody was told.
    lead_times_s : tuple of (float, int)
        Lead time and people of each point where somebody was told, nearest first.
    """

    quake: CatalogueQuake
    trial: Trial
    people: dict[Level, int]
    places_told: int
    lead_times_s: tuple[tuple[float, int], ...]

    @property
    def people_reached(self) -> int:
        """Who lives where an alert was shown."""
        return sum(self.people.values())

    @property
    def people_warned(self) -> int:
        """Those of them whom the alert reached before the S wave."""
        return sum(people for lead_s, people in self.lead_times_s if lead_s > 0.0)

    def alerts(self, installed_share: float) -> dict[Level, int]:
        """Devices that showed an alert, by level."""
        return {level: round(installed_share * people) for level, people in self.people.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonRun:
    """A whole season.

    Attributes
    ----------
    left_out : tuple of CatalogueQuake
        On record, but not covered by the network.
    """

    name: str
    seed: int
    season: Season
    quakes: tuple[QuakeOfSeason, ...]
    left_out: tuple[CatalogueQuake, ...]

    @property
    def alerts_total(self) -> int:
        """Of all quakes and levels."""
        share = self.season.installed_share
        return sum(sum(one.alerts(share).values()) for one in self.quakes)

    @property
    def people_reached(self) -> int:
        """Of all quakes; who was told twice counts twice."""
        return sum(one.people_reached for one in self.quakes)

    @property
    def share_for_reported(self) -> float | None:
        """The installed share that gives exactly the reported number of alerts."""
        people = self.people_reached
        return self.season.reported_alerts / people if people else None


def run_season(
    name: str,
    *,
    seed: int,
    jobs: int,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> SeasonRun:
    """Run all quakes of a season; the result is the same for any number of processes.

    Raises
    ------
    ConfigError
        If there is no such season.
    """
    check_jobs(jobs)
    what = season(name)
    quakes, left_out = season_quakes(what, seed)
    done = map_in_order(
        partial(run_quake, season=what, seed=seed),
        quakes,
        jobs=jobs,
        cost=lambda quake: quake.magnitude,  # longer records, more places
        progress=lambda quake, count: progress(quake.name, count, len(quakes)),
    )
    return SeasonRun(name=name, seed=seed, season=what, quakes=tuple(done), left_out=left_out)


def run_quake(quake: CatalogueQuake, *, season: Season, seed: int) -> QuakeOfSeason:
    """Compute one quake and let everybody within reach hear what they hear."""
    from simulator.scenario import quake_scenario
    from simulator.synthesise import compute

    scenario = quake_scenario(quake, network=season.network)
    sites = _points(quake, season, seed)
    trial = run_trial(compute(scenario, seed), sites, seed=seed)
    told = [place for place in trial.places if place.level is not Level.NONE]
    return QuakeOfSeason(
        quake=quake,
        trial=trial,
        people={level: _people(told, level) for level in _LEVELS},
        places_told=len({place.site.name.partition(".")[0] for place in told}),
        lead_times_s=tuple(
            (float(np.round(place.lead_time_s, 3)), place.site.population)
            for place in told
            if place.lead_time_s is not None
        ),
    )


def _people(told: list[PlaceOutcome], level: Level) -> int:
    return sum(place.site.population for place in told if place.level is level)


def _points(quake: CatalogueQuake, season: Season, seed: int) -> list[Site]:
    """Return where people within reach live: some points round the centre of each place."""
    from simulator.population import draw_devices, places

    towns = places().near(quake.lat, quake.lon, season.towns_km)
    found: list[Site] = []
    for town in range(len(towns)):
        alone = towns.where(np.array([town]))
        people = alone.people
        count = min(max(1, round(people / season.people_per_point)), season.most_points)
        spots = draw_devices(alone, count, seed, f"points of {quake.name}")
        shares = np.diff(np.linspace(0, people, count + 1).round().astype(int))  # sum to people
        for spot in range(count):
            found.append(
                Site(
                    name=f"{town}.{spot} {alone.name[0]}",  # names of towns repeat
                    lat=float(spots.lat[spot]),
                    lon=float(spots.lon[spot]),
                    population=int(shares[spot]),
                    country=str(alone.country[0]),
                )
            )
    return found
