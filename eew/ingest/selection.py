"""Which streams of a server are wanted: patterns of station and channel with wildcards.

``NET_STA`` or ``NET_STA:CHANNELS``, where ``*`` stands for any number of characters and ``?`` for
one. Channels are written as SeedLink version 4 does (``00_H_N_Z``, ``H_N_?``) or as version 3 does
(``00HNZ``, ``HN?``, ``--HNZ`` without a location); several are parted by commas.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from eew.errors import ConfigError
from eew.model.waveform import StreamId

__all__ = ["Selection", "StreamPattern"]

_STATION = re.compile(r"[A-Z0-9*?]{1,8}_[A-Z0-9*?]{1,8}")
_V4 = re.compile(r"(?:([A-Z0-9*?]{0,8})_)?([A-Z0-9*?])_([A-Z0-9*?]?)_([A-Z0-9*?])")
_V3 = re.compile(r"([A-Z0-9?]{2}|--)?([A-Z0-9?]{3})")
_FORM = "the form is NET_STA or NET_STA:CHANNELS, for example CI_*:HN? or IU_ANMO:00_B_H_Z"


@dataclass(frozen=True, slots=True)
class StreamPattern:
    """A pattern of ``network_station`` and one of location and channel."""

    station: str
    location: str
    channel: str

    def matches(self, stream_id: StreamId) -> bool:
        """Tell whether a stream is meant."""
        return (
            fnmatchcase(f"{stream_id.network}_{stream_id.station}", self.station)
            and fnmatchcase(stream_id.location, self.location)
            and fnmatchcase(stream_id.channel, self.channel)
        )


class Selection:
    """What the user wants; all of it where nothing is said."""

    def __init__(self, patterns: Sequence[StreamPattern] = ()) -> None:
        self.patterns = tuple(patterns)

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Selection:
        """Read the words of ``--select``.

        Raises
        ------
        ConfigError
            Naming the text that cannot be read, and the form.
        """
        patterns: list[StreamPattern] = []
        for text in texts:
            station, colon, channels = text.strip().upper().partition(":")
            if not _STATION.fullmatch(station):
                raise ConfigError("--select", f"{station!r} is no NET_STA", hint=_FORM)
            words = [word for word in re.split(r"[,\s]+", channels) if word]
            if colon and not words:
                raise ConfigError("--select", f"{text!r} names no channel", hint=_FORM)
            for word in words or ["*"]:
                patterns.append(StreamPattern(station, *_channel(word)))
        return cls(patterns)

    def wants(self, stream_id: StreamId) -> bool:
        """Tell whether a stream is wanted."""
        return not self.patterns or any(p.matches(stream_id) for p in self.patterns)

    def __str__(self) -> str:
        return ", ".join(f"{p.station}:{p.location}.{p.channel}" for p in self.patterns) or "all"


def _channel(word: str) -> tuple[str, str]:
    """Return patterns of location and channel."""
    if word == "*":
        return "*", "*"
    if match := _V4.fullmatch(word):
        location = "*" if match[1] is None else match[1]
        return location, f"{match[2]}{match[3]}{match[4]}"
    if match := _V3.fullmatch(word):
        location = "*" if match[1] is None else match[1].strip("-")
        return location, match[2]
    raise ConfigError("--select", f"{word!r} is no channel", hint=_FORM)
