"""A scenario with all that it asks for: checked against its stations, computed, and broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from eew.model.waveform import Recording
from simulator.attenuation import attenuation
from simulator.fault_fields import Fault, RegionDark, Teleseism
from simulator.fault_hits import FaultHits, is_of_the_link, kind_of
from simulator.fault_script import apply_faults
from simulator.network import build_network
from simulator.placed import PlacedStation
from simulator.scenario import RecordedScenario, Scenario, Script
from simulator.script_check import script_problems
from simulator.selection import Selection, Zero
from simulator.strict import Problem
from simulator.synthesise import compose

__all__ = [
    "FaultLine",
    "Scripted",
    "compute_scripted",
    "fault_lines",
    "laid_over_text",
    "lay_over",
    "placed_stations",
    "script_text",
    "settled",
    "without_samples",
]

S = TypeVar("S", bound=Selection)
_SELECTION = ("all", "stations", "within_km", "nearest", "share", "lat", "lon")
_STATIONS_SHOWN = 6
_WITH_S = str(RegionDark.__struct_config__.tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """Records with what is wrong in them, and the script, which from now on names its stations."""

    recording: Recording
    script: Script


def placed_stations(scenario: Scenario, seed: int) -> tuple[PlacedStation, ...]:
    """Place the stations of a scenario; computes no motion.

    Raises
    ------
    FieldError
        If there is not a single one.
    """
    placed = build_network(scenario, seed, attenuation(scenario.region).vs30_mps)
    if not placed:
        words = f"network: {scenario.network.words}: no station stands there"
        raise scenario.script.error([Problem(path="network", words=words)])
    return placed


def settled(script: Script, recording: Recording, *, zero: Zero, seed: int) -> Script:
    """Choose the stations of every fault and outage, and check that all of it can happen.

    The choice is made once, by where the stations truly are: a fault may state them elsewhere.

    Parameters
    ----------
    recording : Recording
        Before the faults; samples are not needed.

    Raises
    ------
    FieldError
        Naming each fault that cannot happen here, with its line.
    """
    hits = FaultHits(script=script.faults, zero=zero, seed=seed)
    problems = script_problems(script, hits, recording)
    if problems:
        raise script.error(problems)
    outages = tuple(
        _naming(outage, hits.stations_of_outage(outage, number, recording))
        for number, outage in enumerate(script.link.outage)
    )
    return replace(
        script,
        link=msgspec.structs.replace(script.link, outage=outages),
        faults=tuple(
            fault
            if isinstance(fault, Teleseism)
            else _naming(fault, hits.stations(fault, recording))
            for fault in script.faults
        ),
    )


def compute_scripted(scenario: Scenario, seed: int) -> Scripted:
    """Compute the records of a scenario, with the faults that are in the records.

    Raises
    ------
    FieldError
        As :func:`settled`, before anything is computed.
    """
    placed, zero = placed_stations(scenario, seed), scenario.zero
    script = settled(scenario.script, without_samples(scenario, placed), zero=zero, seed=seed)
    composed = compose(scenario, scenario.sources(seed), seed, network=placed)
    return Scripted(
        recording=apply_faults(composed.recording, script.faults, zero=zero, seed=seed),
        script=script,
    )


def lay_over(scenario: RecordedScenario, recording: Recording, seed: int) -> Scripted:
    """Lay the faults of a script over a recorded quake.

    Raises
    ------
    FieldError
        As :func:`settled`.
    """
    zero = Zero.of(recording)
    script = settled(scenario.script, recording, zero=zero, seed=seed)
    broken = apply_faults(recording, script.faults, zero=zero, seed=seed)
    return Scripted(
        recording=replace(
            broken,
            name=scenario.name,
            input_sha256={**recording.input_sha256, f"{scenario.name}.toml": scenario.sha256},
        ),
        script=script,
    )


def without_samples(scenario: Scenario, placed: Sequence[PlacedStation]) -> Recording:
    """Return the recording of a scenario as far as it is known before it is computed."""
    return Recording(
        name=scenario.name,
        stations=tuple(one.station for one in placed),
        segments=(),
        truth=None,
        problems=(),
        input_sha256={},
    )


# ---------------------------------------------------------------- for people
@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLine:
    """One fault, said to people.

    Attributes
    ----------
    at_s : float or None
        When it begins, s after the origin time; None: it holds for all of the record, or comes
        with the S wave.
    stations : tuple of str
        Codes of those it hits.
    figures : str
        Its other fields, as ``lasts_s 3, size_share 0.5``.
    on_the_way : bool
        It happens on the way to the detector: no folder of records holds it.
    """

    kind: str
    at_s: float | None
    stations: tuple[str, ...]
    figures: str
    on_the_way: bool

    @property
    def words(self) -> str:
        """One line."""
        always = "with S" if self.kind == _WITH_S else "always"
        when = always if self.at_s is None else f"{self.at_s:+.1f} s"
        shown = ", ".join(self.stations[:_STATIONS_SHOWN])
        if len(self.stations) > _STATIONS_SHOWN:
            shown += f" and {len(self.stations) - _STATIONS_SHOWN} more"
        figures = f"   {self.figures}" if self.figures else ""
        number = f"{len(self.stations)} station{'' if len(self.stations) == 1 else 's'}"
        return f"{when:>9}  {self.kind:<21} {number}: {shown}{figures}"


def fault_lines(script: Script, recording: Recording, *, zero: Zero, seed: int) -> list[FaultLine]:
    """Return what goes wrong, in order of time; what holds all the time stands first."""
    hits = FaultHits(script=script.faults, zero=zero, seed=seed)
    lines = [
        FaultLine(
            kind="outage",
            at_s=outage.from_s,
            stations=hits.stations_of_outage(outage, number, recording),
            figures=_figures(msgspec.structs.asdict(outage), "from_s"),
            on_the_way=True,
        )
        for number, outage in enumerate(script.link.outage)
    ]
    lines += [_line(fault, hits, recording) for fault in script.faults]
    return sorted(lines, key=lambda one: (one.at_s is not None, one.at_s or 0.0))


def script_text(script: Script, recording: Recording, *, zero: Zero, seed: int) -> str:
    """Say what is broken in the records, and what is not in them, for ``SOURCE.txt``."""
    lines = fault_lines(script, recording, zero=zero, seed=seed)
    within = [one.words for one in lines if not one.on_the_way]
    outside = [one.words for one in lines if one.on_the_way]
    trouble = msgspec.structs.replace(script.link, outage=()).trouble_words
    text = ""
    if within:
        text += "Faults in these records:\n" + "".join(f"  {words}\n" for words in within)
    if outside or trouble:
        text += "NOT in these records, because it happens on the way (eew replay SCENARIO):\n"
        text += "".join(f"  {words}\n" for words in (*outside, *trouble))
    return text


def laid_over_text(scenario: RecordedScenario, seed: int) -> str:
    """Say what the records are that a script is laid over, for ``SOURCE.txt``."""
    return (
        f"{scenario.title}\n"
        f"RECORDED in {scenario.recorded.resolve().name}, with the faults of a script laid over\n"
        f"them (scenario {scenario.name}, seed {seed}).\n"
        f"Scenario file sha256: {scenario.sha256}\n"
    )


def _naming(selection: S, codes: tuple[str, ...]) -> S:
    """Return the same with the stations by their names."""
    return msgspec.structs.replace(
        selection,
        all=False,
        stations=codes,
        within_km=None,
        nearest=None,
        share=None,
        lat=None,
        lon=None,
    )


def _line(fault: Fault, hits: FaultHits, recording: Recording) -> FaultLine:
    fields = msgspec.structs.asdict(fault)
    when = "at_s" if "at_s" in fields else "from_s"
    return FaultLine(
        kind=kind_of(fault),
        at_s=fields.get(when),
        stations=hits.stations(fault, recording),
        figures=_figures(fields, when),
        on_the_way=is_of_the_link(fault),
    )


def _figures(fields: dict[str, object], when: str) -> str:
    shown = {
        name: value
        for name, value in fields.items()
        if name != when and name not in _SELECTION and value is not None
    }
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in shown.items()
    )
