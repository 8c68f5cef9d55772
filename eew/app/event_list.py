"""The quakes that can be computed by name: scenario files and the catalogue, as rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import msgspec

from eew.errors import ConfigError
from simulator.catalogue import CatalogueQuake, catalogue, catalogue_quake, source_words
from simulator.scenario import Scenario, builtin_names, load_scenario

__all__ = ["Filters", "event_row", "event_rows", "event_values", "read_date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which quakes are wanted; None takes all."""

    country: str | None = None
    min_magnitude: float | None = None
    since: dt.datetime | None = None

    def hold(self, row: dict[str, Any]) -> bool:
        """Tell whether a row passes."""
        return (
            (self.country is None or row["country"] == self.country.upper())
            and (self.min_magnitude is None or row["magnitude"] >= self.min_magnitude)
            and (self.since is None or dt.datetime.fromisoformat(row["origin_time"]) >= self.since)
        )


def read_date(text: str) -> dt.datetime:
    """Read ``2020``, ``2020-07`` or ``2020-07-12`` as the beginning of that year, month or day.

    Raises
    ------
    ConfigError
        If it is none of these.
    """
    padded = text if len(text) > 7 else text + "-01-01"[len(text) - 4 :]
    try:
        day = dt.date.fromisoformat(padded)
    except ValueError as error:
        raise ConfigError(
            "--since", f"{text!r} is not a date", hint="expected 2020, 2020-07 or 2020-07-12"
        ) from error
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


def event_rows(filters: Filters) -> list[dict[str, Any]]:
    """Return one row for each quake that passes, by origin time."""
    built_in = set(builtin_names())
    rows = [_catalogue_row(quake) for quake in catalogue() if quake.name not in built_in]
    rows += [event_row(name) for name in built_in]
    rows.sort(key=lambda row: (row["origin_time"], row["name"]))
    return [row for row in rows if filters.hold(row)]


def event_row(name: str) -> dict[str, Any]:
    """Return what is known of one quake, with the source of each figure.

    Where a scenario file has the name, its figures go before those of the catalogue.

    Raises
    ------
    ConfigError
        If there is no quake of that name and no such file.
    """
    known = {quake.name for quake in catalogue()}
    row = _catalogue_row(catalogue_quake(name)) if name in known else {}
    if name in known and name not in builtin_names():
        return row
    scenario = load_scenario(name)
    event = scenario.event
    origin = event.origin_time.astimezone(dt.UTC)
    return {
        **row,
        "name": scenario.name,
        "kind": "scenario",
        "title": scenario.title,
        "origin_time": f"{origin:%Y-%m-%dT%H:%M:%S}Z",
        "lat": event.lat,
        "lon": event.lon,
        "depth_km": event.depth_km,
        "magnitude": event.magnitude,
        "magnitude_type": event.magnitude_type,
        "country": scenario.country,
    }


def event_values(name: str) -> dict[str, Any]:
    """Return :func:`event_row` with what a replay computes it on: network, places, attenuation.

    Raises
    ------
    ConfigError
        As :func:`event_row`.
    """
    row = event_row(name)
    scenario: Scenario = load_scenario(name)
    fault = scenario.event.fault
    return {
        **row,
        "languages": list(scenario.languages),
        "attenuation": scenario.region,
        "network": scenario.network.words,
        "computed_fault": None if fault is None else msgspec.structs.asdict(fault),
        "record_s": scenario.record.before_s + scenario.record.after_s,
        "sites": [
            {"name": site.name, "lat": site.lat, "lon": site.lon, "population": site.population}
            for site in scenario.sites
        ],
    }


def _catalogue_row(quake: CatalogueQuake) -> dict[str, Any]:
    sources = msgspec.structs.asdict(quake.sources)
    return {
        "name": quake.name,
        "kind": "catalogue",
        "title": quake.title,
        "origin_time": quake.origin_text,
        "lat": quake.lat,
        "lon": quake.lon,
        "depth_km": quake.depth_km,
        "magnitude": quake.magnitude,
        "magnitude_type": quake.magnitude_type,
        "country": quake.country,
        "region": quake.region,
        "setting": quake.setting,
        "mechanism": _plain(quake.mechanism),
        "plane": _plain(quake.plane),
        "recorded": quake.recorded or None,
        "sources": {figure: source_words(source) for figure, source in sources.items() if source},
        "approximate": list(quake.approximate),
    }


def _plain(table: msgspec.Struct | None) -> dict[str, Any] | None:
    return None if table is None else msgspec.structs.asdict(table)
