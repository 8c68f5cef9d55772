"""Compute the records of a scenario, or of any quakes on its network: none, one, or many.

The result is a :class:`Recording` as read from a folder of recorded data, so that the detector
cannot tell the two apart. Sources are added up in ground acceleration before noise, instrument and
rounding to counts, as the ground does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eew.clock import NS_PER_S
from eew.model.waveform import Recording, Truth
from eew.physics.traveltime import TravelTimes
from simulator.attenuation import attenuation
from simulator.network import build_network
from simulator.placed import PlacedStation
from simulator.ruptures import Quake, Rupture
from simulator.scenario import Scenario
from simulator.station_record import Task, station_segments

__all__ = ["Composition", "compose", "compute", "source_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A recording of many quakes, and the truth about each.

    Attributes
    ----------
    recording : Recording
        Its one truth is that of the largest quake; None where there is none.
    truths : tuple of Truth
        One for each source, in the order given; of a rupture the hypocentre of its first part
        and the magnitude of all.
    """

    recording: Recording
    truths: tuple[Truth, ...]


def compute(scenario: Scenario, seed: int) -> Recording:
    """Compute the records of a scenario.

    Parameters
    ----------
    scenario : Scenario
        From :func:`simulator.scenario.load_scenario`.
    seed : int
        Of the run.

    Returns
    -------
    Recording
        One int32 segment per channel, stations of the drawn network, and the truth.
    """
    return compose(scenario, scenario.sources, seed).recording


def compose(
    scenario: Scenario,
    sources: Sequence[Quake | Rupture],
    seed: int,
    *,
    network: Sequence[PlacedStation] | None = None,
) -> Composition:
    """Compute the records of several quakes at once.

    Parameters
    ----------
    scenario : Scenario
        Network, region, noise, lengths; its event says where the network is and when zero is.
    sources : sequence of Quake or Rupture
        May be empty: noise only.
    network : sequence of PlacedStation, optional
        Instead of the network that the scenario describes.
    """
    region = attenuation(scenario.region)
    ruptures = tuple(s if isinstance(s, Rupture) else Rupture(parts=(s,)) for s in sources)
    task = Task(
        scenario=scenario, seed=seed, region=region, sources=ruptures, times=TravelTimes.load()
    )
    placed = build_network(scenario, seed, region.vs30_mps) if network is None else network
    segments = [segment for one in placed for segment in station_segments(task, one)]
    truths = tuple(_truth(scenario, number, r) for number, r in enumerate(ruptures))
    return Composition(
        recording=Recording(
            name=scenario.name,
            stations=tuple(one.station for one in placed),
            segments=tuple(sorted(segments, key=lambda s: (s.stream_id, s.start_ns))),
            truth=max(truths, key=lambda t: t.magnitude, default=None),
            problems=(),
            input_sha256={f"{scenario.name}.toml": scenario.sha256},
        ),
        truths=truths,
    )


def source_text(scenario: Scenario, seed: int) -> str:
    """Say what the records are, for the ``SOURCE.txt`` of a folder."""
    event, network = scenario.event, scenario.network
    return (
        f"{scenario.title}\n"
        "COMPUTED, not recorded: stochastic point source with separate P and S, noise between\n"
        f"the low and the high noise model (scenario {scenario.name}, seed {seed}).\n"
        f"Event: {event.origin_time.isoformat()} {event.magnitude_type} {event.magnitude} "
        f"at {event.lat}, {event.lon}, {event.depth_km} km.\n"
        f"Region {scenario.region}; network {network.code}, {network.sensor}, spacing "
        f"{network.spacing_km} to {network.outer_spacing_km} km.\n"
        f"Scenario file sha256: {scenario.sha256}\n"
    )


def _truth(scenario: Scenario, number: int, rupture: Rupture) -> Truth:
    event, first = scenario.event, rupture.first
    return Truth(
        event_id=event.id if number == 0 else f"{event.id}-{number + 1}",
        origin_time_ns=event.origin_time_ns + round(first.after_s * NS_PER_S),
        lat=first.lat,
        lon=first.lon,
        depth_km=first.depth_km,
        magnitude=rupture.magnitude,
        magnitude_type=event.magnitude_type,
    )
