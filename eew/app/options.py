"""What a user can ask of a run, checked once, with errors that name the option and the value."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import msgspec

from eew.errors import ConfigError
from eew.model.alert import Status
from eew.model.place import Site
from simulator.delivery_profile import profile_names
from simulator.fault_fields import Fault
from simulator.fault_hits import is_of_the_link
from simulator.link import DEFAULT_MEDIAN_S, DEFAULT_SIGMA_LN
from simulator.link_fields import LinkSpec
from simulator.scenario import Script
from simulator.selection import Zero

DEFAULT_SEED = 1
PACKET_RANGE_S = (0.1, 10.0)
MAX_DELAY_S = 60.0
MAX_DEVICES = 100_000
LANGUAGES = ("en", "zh", "ja", "es", "tr")
ARRIVALS = ("modelled", "recorded")
MQTT = "mqtt"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The settings of one run: what the user asks for goes before what a scenario says.

    Attributes
    ----------
    packet_s : float or None
        Length of a packet, 0.1 to 10 s; None takes that of ``link``.
    delay_s : float or None
        So many seconds at every station; None takes the delay of ``link``, which by default is
        log-normal per station, median 0.3 s, seeded.
    arrivals : str
        ``modelled``: packets and links as above. ``recorded``: the packets of the folder's
        ``packets.tar.xz`` at the times at which they arrived; both settings above then stand
        back.
    speed : float
        0 as fast as possible; 1 real time; any factor between and above.
    until_s : float or None
        Stop this long after the first sample of the recording; None runs to the end.
    broker : str
        ``auto``, ``embedded``, ``mosquitto``, an MQTT URL, or ``none``.
    channel : str
        How the public is told: ``mqtt``, as the broker delivers it (at once without one), or a
        channel of ``simulator.delivery_profile``, whose delays are modelled; no broker can carry
        that.
    phones, tvs : int or None
        None takes the default of the recording or scenario.
    languages : tuple of str
        Languages of the devices in turn; empty takes those of the scenario.
    link : LinkSpec
        Of the scenario.
    faults : tuple of Fault
        Of the scenario; those of the link happen in the run, the others are in the records.
    key, keys : pathlib.Path or None
        The private key that signs, and the key set the devices are set up with; None: a key
        derived from the seed, and what belongs to ``key``.
    zero : Zero or None
        What the times of ``link`` and ``faults`` count from; None: the recording's truth, or its
        first sample.
    """

    seed: int = DEFAULT_SEED
    packet_s: float | None = None
    delay_s: float | None = None
    arrivals: str = "modelled"
    speed: float = 0.0
    until_s: float | None = None
    broker: str = "auto"
    channel: str = MQTT
    phones: int | None = None
    tvs: int | None = None
    sites: tuple[Site, ...] = ()
    languages: tuple[str, ...] = ()
    status: Status = Status.EXERCISE
    help_packs: tuple[Path, ...] = field(default=())
    key: Path | None = None
    keys: Path | None = None
    link: LinkSpec = field(default_factory=LinkSpec)
    faults: tuple[Fault, ...] = ()
    zero: Zero | None = None

    def __post_init__(self) -> None:
        low, high = PACKET_RANGE_S
        if self.packet_s is not None and not low <= self.packet_s <= high:  # also refuses NaN
            raise ConfigError("--packet", f"must be {low:g} to {high:g} s, was {self.packet_s:g}")
        if self.delay_s is not None and not 0.0 <= self.delay_s <= MAX_DELAY_S:
            raise ConfigError("--delay", f"must be 0 to {MAX_DELAY_S:g} s, was {self.delay_s:g}")
        if self.arrivals not in ARRIVALS:
            raise ConfigError(
                "--arrivals", f"unknown {self.arrivals!r}", hint=f"one of {', '.join(ARRIVALS)}"
            )
        if self.arrivals == "recorded" and self.delay_s is not None:
            raise ConfigError("--delay", "has no meaning with --arrivals recorded")
        if not (self.speed >= 0.0 and math.isfinite(self.speed)):
            raise ConfigError(
                "--speed", f"must be 0 (as fast as possible) or more, was {self.speed:g}"
            )
        if self.until_s is not None and not (self.until_s > 0.0 and math.isfinite(self.until_s)):
            raise ConfigError("--until", f"must be more than 0 s, was {self.until_s:g}")
        if self.channel not in profile_names():
            raise ConfigError(
                "--channel",
                f"unknown {self.channel!r}",
                hint=f"one of {', '.join(profile_names())}",
            )
        if self.is_channel_modelled and self.broker not in ("auto", "none"):
            raise ConfigError(
                "--channel",
                f"{self.channel} is modelled, {broker_words(self.broker)} cannot carry it",
                hint="leave --broker out",
            )
        if not 0 <= self.seed < 2**63:
            raise ConfigError("--seed", f"must be 0 to 2**63 - 1, was {self.seed}")
        for key, count in (("--phones", self.phones), ("--tvs", self.tvs)):
            if count is not None and not 0 <= count <= MAX_DEVICES:
                raise ConfigError(key, f"must be 0 to {MAX_DEVICES}, was {count}")
        for language in self.languages:
            check_language("--lang", language)
        names = [site.name for site in self.sites]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError("--site", f"the name {name!r} is given twice")

    def with_script(self, script: Script, zero: Zero) -> RunOptions:
        """Take from a scenario what the user has not asked for."""
        devices = script.devices
        return replace(
            self,
            phones=devices.phones if self.phones is None else self.phones,
            tvs=devices.tvs if self.tvs is None else self.tvs,
            languages=self.languages or devices.languages,
            help_packs=self.help_packs or script.help_packs,
            link=script.link,
            faults=script.faults,
            zero=zero,
        )

    @property
    def is_channel_modelled(self) -> bool:
        """Whether devices are told after delays that are drawn, and not over MQTT."""
        return self.channel != MQTT

    @property
    def carrier(self) -> str:
        """What carries the messages: ``broker``, or ``none`` where the channel is modelled."""
        return "none" if self.is_channel_modelled else self.broker

    @property
    def profile(self) -> LinkSpec:
        """The link of the run: the scenario's, with what the user asked for in its place."""
        link = self.link
        if self.packet_s is not None:
            link = msgspec.structs.replace(link, packet_s=self.packet_s)
        if self.delay_s is not None:
            link = msgspec.structs.replace(
                link, fixed_s=self.delay_s, median_s=DEFAULT_MEDIAN_S, sigma_ln=DEFAULT_SIGMA_LN
            )
        return link

    @property
    def link_words(self) -> str:
        """The link in words, for summaries."""
        if self.arrivals == "recorded":
            return "as recorded, packet by packet"
        profile = self.profile
        faults = sum(is_of_the_link(fault) for fault in self.faults)
        more = (f"{faults} fault{'s' if faults > 1 else ''} of the link",) if faults else ()
        return ", ".join((profile.delay_words, *profile.trouble_words, *more))

    def as_config(self) -> dict[str, object]:
        """Return all settings as plain values for the manifest; a broker URL without password."""
        scripted = ("link", "faults", "zero")
        plain: dict[str, object] = {
            one.name: getattr(self, one.name) for one in fields(self) if one.name not in scripted
        }
        plain["packet_s"] = self.profile.packet_s
        if self.link != LinkSpec():
            plain["link"] = msgspec.to_builtins(self.link)
        if self.faults:
            plain["faults"] = msgspec.to_builtins(self.faults)
        plain["sites"] = [f"{site.name}:{site.lat:g},{site.lon:g}" for site in self.sites]
        plain["languages"] = list(self.languages)
        plain["status"] = self.status.value
        plain["broker"] = broker_words(self.broker)
        plain["help_packs"] = [path.name for path in self.help_packs]
        plain["key"] = None if self.key is None else self.key.name
        plain["keys"] = None if self.keys is None else self.keys.name
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


def optional_seconds(key: str, text: str | None) -> float | None:
    """Read a duration as :func:`parse_seconds` does; None where none is given."""
    return None if text is None else parse_seconds(key, text)


def check_language(key: str, language: str) -> None:
    """Check that the devices have words in this language.

    Raises
    ------
    ConfigError
        Naming ``key`` and the value found.
    """
    if language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise ConfigError(key, f"unknown language {language!r}", hint=f"one of {known}")


def parse_status(text: str, option: str = "--status") -> Status:
    """Read ``exercise``, ``drill`` or ``test``; there is no ``actual``.

    Raises
    ------
    ConfigError
        For anything else.
    """
    try:
        return Status(text.lower())
    except ValueError:
        raise ConfigError(
            option, f"unknown {text!r}", hint="exercise, drill or test; this is a simulator"
        ) from None
