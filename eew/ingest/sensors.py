"""One sensor per station: which one, and which of its channels is which component."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eew.ingest.clipping import clip_counts
from eew.ingest.inventory import ChannelMetadata
from eew.ingest.limits import limits
from eew.model.waveform import (
    Channel,
    Component,
    DataProblem,
    Segment,
    SensorKind,
    Station,
    StreamId,
)

__all__ = ["Candidate", "choose_station", "component_of"]

_STEEP_DIP_DEG = 45.0  # an axis steeper than this is a vertical one
_ORDER_OF_LETTERS = "ZU3NE12"  # where two channels claim one component, the earlier letter wins


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A stream with samples and metadata that could be a channel of a station."""

    metadata: ChannelMetadata
    kind: SensorKind
    sensitivity: float
    segments: tuple[Segment, ...]

    @property
    def stream_id(self) -> StreamId:
        """The stream."""
        return self.metadata.stream_id

    @property
    def rate_hz(self) -> float:
        """Sampling rate in Hz."""
        return self.segments[0].sampling_rate_hz


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sensor:
    """Channels of one location code, band and instrument code, and kind."""

    location: str
    instrument: str
    kind: SensorKind
    rate_hz: float
    components: dict[Component, Candidate]
    left_out: tuple[tuple[Candidate, str, str], ...]  # candidate, problem kind, why

    def rank(self) -> tuple[bool, bool, int, float, str, str]:
        """Sort key, best first.

        P waves are picked on the vertical, so a sensor with one comes first; then accelerometers,
        which do not clip; then more components, the higher rate, and the codes for a stable order.
        """
        return (
            Component.VERTICAL not in self.components,
            self.kind is not SensorKind.ACCELERATION,
            -len(self.components),
            -self.rate_hz,
            self.location,
            self.instrument,
        )

    def __str__(self) -> str:
        return f"{self.location}.{self.instrument} ({self.kind.value}, {self.rate_hz:g} Hz)"


def component_of(
    channel_code: str, *, azimuth_deg: float | None, dip_deg: float | None
) -> Component | None:
    """Find the place of a channel among a station's components; None where nothing tells.

    Letters mean directions (Z, U up; N, E). Digits only count the axes of a sensor, so there the
    dip says which one is vertical. Other letters are placed by dip and azimuth.
    """
    letter = channel_code[-1:].upper()
    steep = dip_deg is not None and abs(dip_deg) > _STEEP_DIP_DEG
    if letter in ("Z", "U"):
        return Component.VERTICAL
    if letter == "N":
        return Component.HORIZONTAL_1
    if letter == "E":
        return Component.HORIZONTAL_2
    if steep or (letter == "3" and dip_deg is None):
        return Component.VERTICAL
    if letter == "1":
        return Component.HORIZONTAL_1
    if letter in ("2", "3"):
        return Component.HORIZONTAL_2
    if dip_deg is None or azimuth_deg is None:
        return None
    from_north_deg = min(azimuth_deg % 180.0, 180.0 - azimuth_deg % 180.0)
    return Component.HORIZONTAL_1 if from_north_deg <= 45.0 else Component.HORIZONTAL_2


def choose_station(
    code: str, candidates: Sequence[Candidate]
) -> tuple[Station, tuple[Segment, ...], list[DataProblem]] | None:
    """Choose the sensor of a station.

    Parameters
    ----------
    candidates : sequence of Candidate
        Usable streams of the station.

    Returns
    -------
    station, segments, problems
        Segments of the chosen channels only; None if no stream has a component.
    """
    sensors = sorted(_sensors(candidates), key=_Sensor.rank)
    if not sensors:
        return None
    best = sensors[0]
    problems = [
        DataProblem(kind=kind, where=str(candidate.stream_id), detail=why)
        for sensor in sensors
        for candidate, kind, why in sensor.left_out
    ]
    problems += [
        DataProblem(
            kind="second_sensor",
            where=code,
            detail=f"{sensor} set aside, {best} is used",
            count=len(sensor.components),
        )
        for sensor in sensors[1:]
    ]
    if Component.VERTICAL not in best.components:
        problems.append(
            DataProblem(kind="no_waveform", where=code, detail="no vertical, horizontals only")
        )
    chosen = [best.components[component] for component in Component if component in best.components]
    place = chosen[0].metadata
    if place.lat is None or place.lon is None:  # Metadata.at() gives no such epoch
        raise ValueError(f"{code}: candidate without coordinates")
    station = Station(
        code=code,
        lat=place.lat,
        lon=place.lon,
        elevation_m=place.elevation_m,
        channels=tuple(
            _channel(component, candidate, best.rate_hz)
            for component, candidate in sorted(
                best.components.items(), key=lambda item: item[0].value
            )
        ),
        vs30_mps=place.vs30_mps,
    )
    segments = tuple(segment for candidate in chosen for segment in candidate.segments)
    return station, segments, problems


def _sensors(candidates: Iterable[Candidate]) -> list[_Sensor]:
    groups: dict[tuple[str, str, SensorKind], list[Candidate]] = {}
    for candidate in candidates:
        stream_id = candidate.stream_id
        key = (stream_id.location, stream_id.channel[:2], candidate.kind)
        groups.setdefault(key, []).append(candidate)
    sensors = [_sensor(*key, group) for key, group in groups.items()]
    return [sensor for sensor in sensors if sensor.components]


def _sensor(
    location: str, instrument: str, kind: SensorKind, group: Sequence[Candidate]
) -> _Sensor:
    """Place the channels of a sensor; the vertical's sampling rate decides."""
    same_rate = limits().same_rate
    claims: dict[Component, Candidate] = {}
    left_out: list[tuple[Candidate, str, str]] = []
    for candidate in sorted(group, key=_letter_rank):
        metadata = candidate.metadata
        component = component_of(
            candidate.stream_id.channel,
            azimuth_deg=metadata.azimuth_deg,
            dip_deg=metadata.dip_deg,
        )
        if component is None:
            left_out.append((candidate, "no_metadata", "direction unknown: no azimuth or dip"))
        elif component in claims:
            why = f"{claims[component].stream_id} is used as {component.name.lower()}"
            left_out.append((candidate, "second_sensor", why))
        else:
            claims[component] = candidate
    first = min(claims, key=lambda component: component.value, default=None)
    rate_hz = claims[first].rate_hz if first is not None else 0.0
    components = {}
    for component, candidate in claims.items():
        if same_rate(candidate.rate_hz, rate_hz):
            components[component] = candidate
        else:
            why = f"{candidate.rate_hz:g} Hz, the station's first component has {rate_hz:g} Hz"
            left_out.append((candidate, "rate", why))
    return _Sensor(
        location=location,
        instrument=instrument,
        kind=kind,
        rate_hz=rate_hz,
        components=components,
        left_out=tuple(left_out),
    )


def _letter_rank(candidate: Candidate) -> tuple[int, str]:
    letter = candidate.stream_id.channel[-1:].upper()
    place = _ORDER_OF_LETTERS.find(letter)
    return (place if place >= 0 else len(_ORDER_OF_LETTERS), candidate.stream_id.channel)


def _channel(component: Component, candidate: Candidate, rate_hz: float) -> Channel:
    metadata, sensitivity = candidate.metadata, candidate.sensitivity
    dip_deg = metadata.dip_deg
    downwards = dip_deg is not None and dip_deg > _STEEP_DIP_DEG
    clip = metadata.clip_counts
    if clip is None:
        integer = all(segment.samples.dtype.kind == "i" for segment in candidate.segments)
        clip = (
            clip_counts(
                candidate.kind,
                sensitivity=sensitivity,
                digitiser_counts_per_v=metadata.digitiser_counts_per_v,
            )
            if integer
            else float("inf")
        )
    return Channel(
        stream_id=candidate.stream_id,
        component=component,
        kind=candidate.kind,
        # the vertical of this project is positive upwards
        sensitivity=-sensitivity if component is Component.VERTICAL and downwards else sensitivity,
        sampling_rate_hz=rate_hz,
        clip_counts=clip,
    )
