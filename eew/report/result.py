"""Everything one run leaves behind, as values; the writers of this package turn it into files.

A run fills this in once, at its end. Times named ``*_s`` are s after time zero, which is the
true origin or, where there is no truth, the first pick; times named ``*_ns`` are data time, UTC.
What was measured on the clock of the machine stands in :class:`Measured` and nowhere else, so
that all other parts are the same for the same input and seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from eew.clock import NS_PER_S
from eew.model.alert import AlertMessage, Level
from eew.model.event import EventClosed, Pick, PickRejected, Solution, StationPeaks, StationState
from eew.model.place import Site
from eew.model.waveform import DataProblem, Recording

MODELLED = "modelled"
MEASURED = "measured"
NOT_COUNTED = "none"  # devices in the process hear a message at once


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """What was run and how.

    ``channel`` is how the public was told, ``channel_latency`` whether that delay was measured
    (with a broker), modelled (drawn from published figures) or none. ``complete`` is False where
    the run was stopped before the end of its data; ``config`` are all settings that decide the
    outcome, for the manifest.
    """

    event: str
    seed: int
    version: str
    packet_s: float
    link: str
    broker: str
    status: str
    complete: bool
    config: Mapping[str, object]
    channel: str = "mqtt"

    @property
    def channel_latency(self) -> str:
        """How the delay from the message to a screen came about: never two kinds in one run."""
        if self.channel != "mqtt":
            return MODELLED
        return NOT_COUNTED if self.broker == "none" else MEASURED

    @property
    def run_id(self) -> str:
        """``<event>-<seed>``."""
        return f"{self.event}-{self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A device showed an alert for the first time, or at a higher level than before."""

    device: str
    kind: str  # "phone" or "tv"
    site: str
    event_id: str
    serial: int
    level: Level
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetResult:
    """What a place was told, what came, and the word for it (``simulator/truth.py``).

    ``observed_station`` names the station that ``observed_intensity`` was taken from;
    ``true_intensity`` is the model's value for the true source, the stand-in where nothing was
    observed.
    """

    site: Site
    distance_km: float | None
    scale: str
    predicted_intensity: float | None
    observed_intensity: float | None
    observed_station: str | None
    true_intensity: float | None
    s_arrival_s: float | None
    told_s: float | None
    lead_time_s: float | None
    level: Level
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstFinal:
    """An error at the first alert and at the final message; None where unknown."""

    first: float | None = None
    final: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """How the detector did. Errors are estimate minus truth (epicentre: distance in km)."""

    detected: bool
    events: int
    first_alert_s: float | None = None
    epicentre_error_km: FirstFinal = FirstFinal()
    depth_error_km: FirstFinal = FirstFinal()
    origin_time_error_s: FirstFinal = FirstFinal()
    magnitude_error: FirstFinal = FirstFinal()
    nth_p_floor_s: tuple[float, ...] = ()
    false_alerts: int | None = None
    splits: int | None = None
    blind_zone_km: float | None = None
    primary_event_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationIntensity:
    """Predicted (by the final alert) and observed intensity at a station."""

    station: str
    distance_km: float
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Messages to devices: who should have been told, and who was.

    ``expected`` counts the pairs of message and connected device whose area the message
    concerns; ``duplicates`` the messages that reached a screen twice.
    """

    devices: int
    expected: int
    delivered: int
    lost: int
    duplicates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the clock of this machine said; differs from run to run.

    ``wall_s`` are seconds per part of the program, ``stages_s`` samples in s per stage of the
    chain, ``delivery_ms`` one sample per delivered message, publish to receipt.
    """

    wall_s: Mapping[str, float]
    stages_s: Mapping[str, tuple[float, ...]]
    delivery_ms: tuple[float, ...]
    real_time_factor: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What one device showed at one moment, as a text box."""

    device: str
    kind: str
    site: str
    at_ns: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One thing that the scenario of a run expects, in words, and whether it came."""

    name: str
    asked: str
    found: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """One run from seismogram to screens."""

    info: RunInfo
    recording: Recording
    zero_ns: int
    zero_is: str  # "origin", "first_pick" or "first_sample"
    picks: tuple[Pick, ...]
    rejected: tuple[PickRejected, ...]
    solutions: tuple[Solution, ...]
    messages: tuple[AlertMessage, ...]
    payloads: tuple[bytes, ...]  # one per message, as sent
    closed: tuple[EventClosed, ...]
    told: tuple[Told, ...]
    targets: tuple[TargetResult, ...]
    detection: Detection
    intensities: tuple[StationIntensity, ...]
    delivery: Delivery
    stages_s: Mapping[str, tuple[float, ...]]  # modelled: samples in s per stage
    peaks: tuple[StationPeaks, ...]
    states: tuple[StationState, ...]
    problems: tuple[DataProblem, ...]
    screens: tuple[Screen, ...]
    measured: Measured
    expectations: tuple[Expected, ...] = ()  # of the scenario; none where nothing is asked
    seconds: float = field(default=0.0)  # of data, from the first sample to where it ended

    def since_zero_s(self, time_ns: int) -> float:
        """Return s from time zero to ``time_ns``."""
        return (time_ns - self.zero_ns) / NS_PER_S

    @property
    def n_channels(self) -> int:
        """Channels of the stations in use."""
        return sum(len(station.channels) for station in self.recording.stations)

    def final_alert(self) -> AlertMessage | None:
        """Return the last message of the primary event that still says an event is there."""
        mine = [
            message
            for message in self.messages
            if message.event_id == self.detection.primary_event_id and message.cancel_reason is None
        ]
        return mine[-1] if mine else None
