"""What a scenario would compute and break, without computing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eew.app.options import RunOptions
from eew.app.places import DEFAULT_PHONES, DEFAULT_TVS
from eew.clock import NS_PER_S
from eew.model.waveform import Recording
from simulator.ruptures import Quake, Rupture
from simulator.scenario import Scenario, Script, read_scenario
from simulator.scenario_fields import Expectation
from simulator.scripted import (
    FaultLine,
    fault_lines,
    placed_stations,
    settled,
    without_samples,
)
from simulator.selection import Zero

__all__ = ["Checked", "check_scenario"]

_BYTES_PER_SAMPLE = 4  # int32 counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A scenario that holds, and what it is made of.

    Attributes
    ----------
    kind : str
        ``computed`` or ``recorded``.
    quakes : tuple of str
        One line for each; empty where the truth of a recorded quake is not known.
    from_s, to_s : float
        The records, s after the origin time.
    samples : int
        Of all channels together; of a computed quake to within a second per channel.
    link : str
        In words.
    """

    title: str
    kind: str
    quakes: tuple[str, ...]
    stations: int
    channels: int
    from_s: float
    to_s: float
    samples: int
    link: str
    phones: int
    tvs: int
    places: tuple[str, ...]
    faults: tuple[FaultLine, ...]
    expects: tuple[str, ...]

    @property
    def megabytes(self) -> float:
        """Size of the samples in memory and, but for its packing, on disk."""
        return self.samples * _BYTES_PER_SAMPLE / 1e6

    def document(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {
            "title": self.title,
            "kind": self.kind,
            "quakes": list(self.quakes),
            "stations": self.stations,
            "channels": self.channels,
            "from_s": self.from_s,
            "to_s": self.to_s,
            "samples": self.samples,
            "megabytes": round(self.megabytes, 1),
            "link": self.link,
            "phones": self.phones,
            "tvs": self.tvs,
            "places": list(self.places),
            "faults": [
                {
                    "kind": one.kind,
                    "at_s": one.at_s,
                    "stations": list(one.stations),
                    "figures": one.figures,
                    "on_the_way": one.on_the_way,
                }
                for one in self.faults
            ],
            "expects": list(self.expects),
        }


def check_scenario(name_or_path: str, *, seed: int) -> Checked:
    """Read a scenario, place its stations, and check its script against them.

    Raises
    ------
    ConfigError
        Naming every field that is wrong, with its line.
    DataError
        If the recorded quake that it is laid over cannot be read.
    """
    scenario = read_scenario(name_or_path)
    if isinstance(scenario, Scenario):
        placed = placed_stations(scenario, seed)
        recording, zero = without_samples(scenario, placed), scenario.zero
        from_s, to_s = -scenario.record.before_s, scenario.record.after_s
        rates_hz = [c.sampling_rate_hz for one in recording.stations for c in one.channels]
        quakes = tuple(_quake(one) for one in scenario.sources(seed))
        return _checked(
            scenario.title,
            "computed",
            quakes,
            (from_s, to_s),
            round(sum(rates_hz) * (to_s - from_s)),
            recording,
            scenario.script,
            zero,
            tuple(site.name for site in scenario.sites),
            seed,
        )
    from eew.ingest import read_quake_folder

    recording = read_quake_folder(scenario.recorded)
    zero, truth = Zero.of(recording), recording.truth
    edges = (recording.start_ns, recording.end_ns)
    return _checked(
        scenario.title,
        "recorded",
        ()
        if truth is None
        else (_words(truth.magnitude, truth.lat, truth.lon, truth.depth_km, 0.0),),
        ((edges[0] - zero.at_ns) / NS_PER_S, (edges[1] - zero.at_ns) / NS_PER_S),
        sum(len(one.samples) for one in recording.segments),
        recording,
        scenario.script,
        zero,
        tuple(site.name for site in scenario.sites),
        seed,
    )


def _checked(
    title: str,
    kind: str,
    quakes: tuple[str, ...],
    span_s: tuple[float, float],
    samples: int,
    recording: Recording,
    script: Script,
    zero: Zero,
    places: tuple[str, ...],
    seed: int,
) -> Checked:
    script = settled(script, recording, zero=zero, seed=seed)
    options = RunOptions(seed=seed).with_script(script, zero)
    return Checked(
        title=title,
        kind=kind,
        quakes=quakes,
        stations=len(recording.stations),
        channels=sum(len(one.channels) for one in recording.stations),
        from_s=span_s[0],
        to_s=span_s[1],
        samples=samples,
        link=f"packets {options.profile.packet_s:g} s, {options.link_words}",
        phones=DEFAULT_PHONES if options.phones is None else options.phones,
        tvs=DEFAULT_TVS if options.tvs is None else options.tvs,
        places=places,
        faults=tuple(fault_lines(script, recording, zero=zero, seed=seed)),
        expects=_expects(script.expect),
    )


def _quake(source: Quake | Rupture) -> str:
    first = source.first if isinstance(source, Rupture) else source
    line = f", a line of {len(source.parts)} parts" if isinstance(source, Rupture) else ""
    plane = isinstance(source, Quake) and source.fault is not None
    return (
        _words(source.magnitude, first.lat, first.lon, first.depth_km, first.after_s)
        + line
        + (", on a fault plane" if plane else "")
    )


def _words(magnitude: float, lat: float, lon: float, depth_km: float, after_s: float) -> str:
    return f"{after_s:+7.1f} s  M{magnitude:.1f}  {lat:.3f}, {lon:.3f}  {depth_km:.0f} km deep"


def _expects(expect: Expectation | None) -> tuple[str, ...]:
    if expect is None:
        return ()
    fields: Sequence[str] = expect.__struct_fields__
    asked = {name: getattr(expect, name) for name in fields}
    return tuple(
        f"{name} {str(value).lower() if isinstance(value, bool) else f'{value:g}'}"
        for name, value in asked.items()
        if value is not None and not (name == "no_alert" and value is False)
    )
