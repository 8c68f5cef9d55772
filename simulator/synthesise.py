"""Compute the records of a scenario, or of any quakes on its network: none, one, or many.

The result is a :class:`Recording` as read from a folder of recorded data, so that the detector
cannot tell the two apart. Sources are added up in ground acceleration before noise, instrument and
rounding to counts, as the ground does it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eew.clock import NS_PER_S
from eew.model.waveform import Recording, Segment, Station, Truth
from eew.physics.traveltime import TravelTimes
from simulator.attenuation import attenuation
from simulator.finite_fault import finite_source
from simulator.gnss import gnss_segments, receivers
from simulator.in_order import in_order
from simulator.network import build_network
from simulator.placed import PlacedStation
from simulator.ruptures import Quake, Rupture
from simulator.scenario import Scenario
from simulator.station_record import Task, station_segments

__all__ = ["Composition", "Plan", "compose", "compute", "prepare", "source_text"]


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
    return compose(scenario, scenario.sources(seed), seed).recording


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
    plan = prepare(scenario, sources, seed, network=network)
    segments = sorted(plan.segments(), key=lambda s: (s.stream_id, s.start_ns))
    displacement = sorted(plan.gnss_segments(), key=lambda s: (s.stream_id, s.start_ns))
    recording = dataclasses.replace(
        plan.outline, segments=tuple(segments), gnss_segments=tuple(displacement)
    )
    return Composition(recording=recording, truths=plan.truths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A composition about to be computed, station by station.

    Attributes
    ----------
    outline : Recording
        All but the samples.
    truths : tuple of Truth
        As in :class:`Composition`.
    """

    outline: Recording
    truths: tuple[Truth, ...]
    task: Task
    network: tuple[PlacedStation, ...]
    receivers: tuple[tuple[PlacedStation, Station], ...]

    def segments(self, *, jobs: int = 1) -> Iterator[Segment]:
        """Compute one station after the other, in their order, never holding more than a few.

        Parameters
        ----------
        jobs : int
            Processes to share the work; the samples do not depend on it.
        """
        for several in in_order(station_segments, self.task, self.network, jobs=jobs):
            yield from sorted(several, key=lambda s: s.stream_id)

    def gnss_segments(self) -> Iterator[Segment]:
        """Compute the displacement of one receiver after the other."""
        for placed, receiver in self.receivers:
            yield from sorted(gnss_segments(self.task, placed, receiver), key=lambda s: s.stream_id)


def prepare(
    scenario: Scenario,
    sources: Sequence[Quake | Rupture],
    seed: int,
    *,
    network: Sequence[PlacedStation] | None = None,
) -> Plan:
    """Place the stations and divide the sources; arguments as of :func:`compose`."""
    region = attenuation(scenario.region)
    ruptures = tuple(s if isinstance(s, Rupture) else Rupture(parts=(s,)) for s in sources)
    task = Task(
        scenario=scenario,
        seed=seed,
        region=region,
        sources=tuple(finite_source(r, region, seed, number) for number, r in enumerate(ruptures)),
        times=TravelTimes.load(),
    )
    placed = build_network(scenario, seed, region.vs30_mps) if network is None else network
    spacing_km = scenario.network.gnss_spacing_km
    beside = () if spacing_km is None else receivers(placed, spacing_km)
    truths = tuple(_truth(scenario, number, r) for number, r in enumerate(ruptures))
    outline = Recording(
        name=scenario.name,
        stations=tuple(one.station for one in placed),
        segments=(),
        truth=max(truths, key=lambda t: t.magnitude, default=None),
        problems=(),
        input_sha256={f"{scenario.name}.toml": scenario.sha256},
        gnss=tuple(receiver for _, receiver in beside),
    )
    return Plan(outline=outline, truths=truths, task=task, network=tuple(placed), receivers=beside)


def source_text(scenario: Scenario, seed: int) -> str:
    """Say what the records are, for the ``SOURCE.txt`` of a folder."""
    event, network = scenario.event, scenario.network
    return (
        f"{scenario.title}\n"
        "COMPUTED, not recorded: stochastic finite fault with separate P and S, noise between\n"
        f"the low and the high noise model (scenario {scenario.name}, seed {seed}).\n"
        f"Event: {event.origin_time.isoformat()} {event.magnitude_type} {event.magnitude} "
        f"at {event.lat}, {event.lon}, {event.depth_km} km.\n"
        f"Region {scenario.region}; network {network.code}: {network.words}.\n"
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
