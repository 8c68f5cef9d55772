"""What ``eew score`` finds out about one folder, as values; errors are estimate minus truth.

Times named ``*_s`` are s after the true origin (without truth there are none). Document, totals,
plots and comparison are made from these values and know nothing of how they came about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from eew.model.waveform import Truth

MOMENTS = ("first", "+1", "+2", "+5", "+10", "+20", "final")  # s after the first alert
OUTCOMES = ("timely", "late", "missed", "false", "precautionary", "not_needed")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSettings:
    """What a score was made with; the same for all folders."""

    packet_s: float
    delay_s: float
    seed: int
    version: str
    damage_to_action: float  # r of the cost score
    thresholds: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The newest solution of the matched event at one moment after the first alert.

    ``best_*`` are errors against the best location of the P picks; ``sigmas`` are errors in
    units of the stated uncertainties, by name, 1 or less being inside.
    """

    at_s: float
    epicentre_km: float
    depth_km: float
    origin_time_s: float
    magnitude: float
    best_epicentre_km: float | None
    best_depth_km: float | None
    best_origin_time_s: float | None
    n_stations: int
    sigmas: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class MagnitudePoint:
    """The magnitude at one moment."""

    at_s: float
    magnitude: float
    sigma: float
    lower_bound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCounts:
    """Alerted events; see ``simulator/outcome.py`` for what each word means."""

    alerted: int
    matched: int
    split: int
    merged: int
    phantom: int
    withdrawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Phantom:
    """An alerted event that is not in the catalogue, as its last message has it.

    ``after_quake`` says that it was alerted after the true origin: a catalogue of one line cannot
    tell an aftershock from a false event.
    """

    event_id: str
    alerted_ns: int
    magnitude: float
    lat: float
    lon: float
    n_stations: int
    after_quake: bool
    distance_km: float | None  # from the true epicentre


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkScore:
    """The network round the true epicentre; counts of stations that deliver as P arrives."""

    stations: int
    delivering: int
    gap_deg: float
    nearest_km: float
    in_network: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BestScore:
    """The best location that the P picks of the record allow; see ``simulator/floor.py``."""

    lat: float
    lon: float
    depth_km: float
    origin_time_s: float
    epicentre_km: float  # from the catalogue's epicentre
    h_sigma_km: float
    n_picks: int
    n_left_out: int
    n_far: int
    rms_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteResult:
    """One threshold at one station: the word, and the warning time where there was a warning."""

    outcome: str
    warning_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationScore:
    """One station as a place where people might be.

    ``state`` is the word of ``simulator/record.py``; all but ``good`` take no part in residuals
    and outcomes. ``observed`` and ``observed_pga_mps2`` come from the record, ``predicted*`` from
    the event's last message, ``true_*`` from the same model for the catalogue's source.
    ``compared`` says that the station takes part in the residuals.
    """

    station: str
    lat: float
    lon: float
    distance_km: float
    state: str
    observed: float | None = None
    observed_pga_mps2: float | None = None
    predicted: float | None = None
    predicted_pga_mps2: float | None = None
    true_predicted: float | None = None
    true_pga_mps2: float | None = None
    compared: bool = False
    sites: Mapping[float, SiteResult] = field(default_factory=dict)  # by threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFigures:
    """One line of another detector's measured figures; None where its file has no such column."""

    detector: str
    t_s: float
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderScore:
    """Everything about one folder; None (or empty) where it does not apply.

    ``expected`` is False for noise and for quakes too far to be alerted here; ``quiet_s`` is how
    long noise was watched and ``quiet_false`` how many events were alerted in it.
    """

    name: str
    input_sha256: Mapping[str, str]
    truth: Truth | None
    expected: bool
    detected: bool
    events: EventCounts
    phantoms: tuple[Phantom, ...]
    quiet_s: float
    quiet_false: int
    network: NetworkScore | None = None
    first_pick_s: float | None = None
    first_pick_known_s: float | None = None
    first_solution_s: float | None = None
    first_alert_s: float | None = None
    floor_s: tuple[float, ...] = ()
    observed_floor_s: tuple[float, ...] = ()
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)  # by MOMENTS
    trajectory: tuple[MagnitudePoint, ...] = ()
    best: BestScore | None = None
    scale: str | None = None
    relation: str | None = None
    stations: tuple[StationScore, ...] = ()
    published: tuple[PublishedFigures, ...] = ()

    def minus_floor_s(self) -> tuple[float, ...]:
        """Return alert minus n-th P by catalogue and iasp91, n = 1, 2, ..."""
        return self._minus(self.floor_s)

    def minus_observed_floor_s(self) -> tuple[float, ...]:
        """Return alert minus n-th P as observed, n = 1, 2, ..."""
        return self._minus(self.observed_floor_s)

    def _minus(self, floor_s: tuple[float, ...]) -> tuple[float, ...]:
        if self.first_alert_s is None:
            return ()
        return tuple(self.first_alert_s - at_s for at_s in floor_s)
