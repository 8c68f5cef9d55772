"""Alert messages and their parts, as values; the JSON form is in ``eew.messages.wire``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class MsgType(Enum):
    """Kind of message within the life of one event."""

    ALERT = "alert"
    UPDATE = "update"
    CANCEL = "cancel"
    FINAL = "final"


class Status(Enum):
    """What a message is for; each has a tree of topics and keys of its own.

    There is no ``actual``: this is a simulator. An ``exercise`` runs as the real service would, a
    ``drill`` is announced and people practise in it, a ``test`` is for those who run the service.
    """

    EXERCISE = "exercise"
    DRILL = "drill"
    TEST = "test"


class Level(Enum):
    """What people at a place are asked to do, in rising order."""

    NONE = "none"
    BE_AWARE = "be_aware"
    TAKE_ACTION = "take_action"

    @property
    def rank(self) -> int:
        """0, 1, 2 in rising order."""
        return _RANKS[self.value]


_RANKS = {level.value: rank for rank, level in enumerate(Level)}


class CancelReason(Enum):
    """Why an event was withdrawn: people need different words for each."""

    FALSE_ALERT = "false_alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertOrigin:
    """Where and when the rupture began."""

    time_ns: int
    lat: float
    lon: float
    depth_km: float
    h_sigma_km: float
    z_sigma_km: float
    time_sigma_s: float
    provisional: bool  # fewer stations or a wider gap than a settled solution needs


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMagnitude:
    """Size, its standard deviation, and whether it is only a lower bound."""

    value: float
    type: str
    sigma: float
    lower_bound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertQuality:
    """How the solution is supported."""

    n_stations: int
    n_picks: int
    gap_deg: float
    likelihood: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedShaking:
    """Intensity that stations see now at a position, on the model's default ground."""

    lat: float
    lon: float
    intensity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPrediction:
    """What shaking is expected, by which model, and the radii of whole intensities.

    Attributes
    ----------
    radii_km : dict
        From an intensity (3 to 9) to the distance in km inside which the source's median
        prediction, corrected, reaches it: round the epicentre, or round the line where there is
        one. Classes not reached are absent.
    line : tuple of float or None
        The rupture as a line on the surface: latitude and longitude of its ends, degrees. None
        while a point describes it as well.
    correction : float
        Added to the source's prediction everywhere: what the stations that have been shaken saw
        above the model.
    observed : tuple of ObservedShaking
        Shaking now that says more than the source does; it counts for every place within reach.
    """

    scale: str  # "mmi", "csi" or "jma"
    relation: str  # name of the shaking model, a key every device knows
    max_intensity: float
    radii_km: dict[int, float]
    line: tuple[float, float, float, float] | None = None
    correction: float = 0.0
    observed: tuple[ObservedShaking, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTrace:
    """Data times along the chain, UTC ns, for the delay budget."""

    last_sample_ns: int
    received_ns: int
    pick_ns: int
    decided_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """One message of one event. ``serial`` counts from 1 and never repeats."""

    event_id: str
    serial: int
    msg_type: MsgType
    status: Status
    issued_ns: int
    expires_ns: int
    origin: AlertOrigin
    magnitude: AlertMagnitude
    quality: AlertQuality
    prediction: AlertPrediction
    first_pick_ns: int
    trace: AlertTrace
    cancel_reason: CancelReason | None = None

    @property
    def is_final(self) -> bool:
        """True for the last message of an event."""
        return self.msg_type in (MsgType.FINAL, MsgType.CANCEL)
