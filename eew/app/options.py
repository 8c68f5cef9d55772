"""What a user can ask of a run, checked once, with errors that name the option and the value."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from eew.errors import ConfigError
from eew.model.alert import Status
from eew.model.place import Site

DEFAULT_SEED = 1
DEFAULT_PACKET_S = 0.5
PACKET_RANGE_S = (0.1, 10.0)
DEFAULT_DELAY_S = 0.3  # median of the log-normal link delay
MAX_DELAY_S = 60.0
MAX_DEVICES = 100_000
LANGUAGES = ("en", "zh", "ja", "es", "tr")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The settings of one run.

    Attributes
    ----------
    packet_s : float
        Length of a packet, 0.1 to 10 s.
    delay_s : float or None
        None: log-normal link delay per station, median 0.3 s, seeded. A number: that many
        seconds at every station.
    speed : float
        0 as fast as possible; 1 real time; any factor between and above.
    until_s : float or None
        Stop this long after the first sample of the recording; None runs to the end.
    broker : str
        ``auto``, ``embedded``, ``mosquitto``, an MQTT URL, or ``none``.
    phones, tvs : int or None
        None takes the default of the recording or scenario.
    languages : tuple of str
        Languages of the devices in turn; empty takes those of the scenario.
    """

    seed: int = DEFAULT_SEED
    packet_s: float = DEFAULT_PACKET_S
    delay_s: float | None = None
    speed: float = 0.0
    until_s: float | None = None
    broker: str = "auto"
    phones: int | None = None
    tvs: int | None = None
    sites: tuple[Site, ...] = ()
    languages: tuple[str, ...] = ()
    status: Status = Status.EXERCISE
    help_packs: tuple[Path, ...] = field(default=())

    def __post_init__(self) -> None:
        low, high = PACKET_RANGE_S
        if not low <= self.packet_s <= high:  # also refuses NaN
            raise ConfigError("--packet", f"must be {low:g} to {high:g} s, was {self.packet_s:g}")
        if self.delay_s is not None and not 0.0 <= self.delay_s <= MAX_DELAY_S:
            raise ConfigError("--delay", f"must be 0 to {MAX_DELAY_S:g} s, was {self.delay_s:g}")
        if not (self.speed >= 0.0 and math.isfinite(self.speed)):
            raise ConfigError(
                "--speed", f"must be 0 (as fast as possible) or more, was {self.speed:g}"
            )
        if self.until_s is not None and not (self.until_s > 0.0 and math.isfinite(self.until_s)):
            raise ConfigError("--until", f"must be more than 0 s, was {self.until_s:g}")
        if not 0 <= self.seed < 2**63:
            raise ConfigError("--seed", f"must be 0 to 2**63 - 1, was {self.seed}")
        for key, count in (("--phones", self.phones), ("--tvs", self.tvs)):
            if count is not None and not 0 <= count <= MAX_DEVICES:
                raise ConfigError(key, f"must be 0 to {MAX_DEVICES}, was {count}")
        for language in self.languages:
            if language not in LANGUAGES:
                known = ", ".join(LANGUAGES)
                raise ConfigError(
                    "--lang", f"unknown language {language!r}", hint=f"one of {known}"
                )
        names = [site.name for site in self.sites]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError("--site", f"the name {name!r} is given twice")

    @property
    def link_words(self) -> str:
        """The link delay in words, for summaries."""
        if self.delay_s is None:
            return f"log-normal per station, median {DEFAULT_DELAY_S:g} s"
        return f"{self.delay_s:g} s at every station"

    def as_config(self) -> dict[str, object]:
        """Return all settings as plain values for the manifest; a broker URL without password."""
        plain: dict[str, object] = asdict(self)
        plain["sites"] = [f"{site.name}:{site.lat:g},{site.lon:g}" for site in self.sites]
        plain["languages"] = list(self.languages)
        plain["status"] = self.status.value
        plain["broker"] = broker_words(self.broker)
        plain["help_packs"] = [path.name for path in self.help_packs]
        return plain


def broker_words(spec: str) -> str:
    """Return the broker as it may be shown: a URL loses user and password."""
    return re.sub(r"://[^/]*@", "://", spec)


def parse_site(text: str) -> Site:
    """Read ``Name:lat,lon`` in degrees.

    Raises
    ------
    ConfigError
        Naming what is wrong with ``text``.
    """
    name, colon, position = text.rpartition(":")
    form = 'the form is "Name:lat,lon", for example "Los Angeles:34.05,-118.24"'
    if not colon or not name.strip():
        raise ConfigError("--site", f"{text!r} has no name and position", hint=form)
    parts = position.split(",")
    if len(parts) != 2:
        raise ConfigError("--site", f"{text!r}: {position!r} is not two numbers", hint=form)
    values = []
    for word, part, limit in (("lat", parts[0], 90.0), ("lon", parts[1], 180.0)):
        try:
            value = float(part)
        except ValueError:
            raise ConfigError(
                "--site", f"{text!r}: {word} {part!r} is no number", hint=form
            ) from None
        if not abs(value) <= limit:
            raise ConfigError(
                "--site", f"{text!r}: {word} must be within ±{limit:g}, was {value:g}"
            )
        values.append(value)
    return Site(name=name.strip(), lat=values[0], lon=values[1])


def parse_seconds(key: str, text: str) -> float:
    """Read a duration: ``90``, ``90s``, ``0.5 s``, ``2min`` or ``300ms``.

    Raises
    ------
    ConfigError
        Naming ``key`` and the value found.
    """
    match = re.fullmatch(r"\s*([-+]?[\d.]+(?:e[-+]?\d+)?)\s*(s|ms|min|m)?\s*", text, re.IGNORECASE)
    factors = {None: 1.0, "s": 1.0, "ms": 1e-3, "min": 60.0, "m": 60.0}
    try:
        if match is None:
            raise ValueError(text)
        unit = match[2].lower() if match[2] else None
        return float(match[1]) * factors[unit]
    except ValueError:
        raise ConfigError(
            key, f"{text!r} is no duration", hint="for example 0.5, 500ms, 90s or 2min"
        ) from None


def parse_status(text: str) -> Status:
    """Read ``exercise`` or ``test``; there is no ``actual``.

    Raises
    ------
    ConfigError
        For anything else.
    """
    try:
        return Status(text.lower())
    except ValueError:
        raise ConfigError(
            "--status", f"unknown status {text!r}", hint="exercise or test; this is a simulator"
        ) from None
