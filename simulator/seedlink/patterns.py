"""Which stations and streams a client asks for: the patterns of SeedLink 3 and 4.

Version 3 writes ``SELECT [!][LL]CCC[.T]`` (``-`` for a blank in the location code, ``?`` for any
character) and ``STATION sta net``. Version 4 writes ``SELECT [!]LL_B_S_SS[.format]`` and
``STATION NET_STA``, with ``?`` and ``*`` anywhere. Inside, both are matched against the form of
version 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from eew.model.waveform import StreamId
from simulator.seedlink.refusal import RefusedError

__all__ = ["StreamPattern", "matches", "station_id", "station_pattern", "stream_id"]

_STATION = re.compile(r"[A-Z0-9*?_-]{1,32}")
_V3_SELECTOR = re.compile(r"(?:([A-Z0-9?*-]{2})?([A-Z0-9?]{3})|\*)(?:\.([DECOTL?]))?")
_V3_TYPE = re.compile(r"\.?([DECOTL])")
_V4_SELECTOR = re.compile(r"([A-Z0-9?*_-]+)(?:\.([A-Z0-9?*]{1,2}))?((?::[A-Z0-9]+)*)")
_V4_FILTERS = {"NATIVE", "3"}  # what is sent is MiniSEED 3 as it was made: both change nothing
_DATA_TYPE = "D"
_FORMAT = "3"


@dataclass(frozen=True, slots=True)
class StreamPattern:
    """One ``SELECT``.

    Attributes
    ----------
    stream : str
        Pattern over ``LL_B_S_SS``.
    is_negative : bool
        Whether what matches is left out.
    is_data : bool
        Whether records of data are meant at all; a selector of logs or of another format is
        valid and matches nothing here.
    text : str
        As the client wrote it.
    """

    stream: str
    is_negative: bool
    is_data: bool
    text: str

    @classmethod
    def parse(cls, text: str, version: int) -> StreamPattern:
        """Read a selector in the syntax of protocol ``version`` (3 or 4).

        Raises
        ------
        RefusedError
            If it is not one.
        """
        is_negative = text.startswith("!")
        pattern = text[1:].upper() if is_negative else text.upper()
        if version == 3:
            stream, is_data = _read_v3(pattern, text)
        else:
            stream, is_data = _read_v4(pattern, text, is_negative)
        return cls(stream, is_negative, is_data, text)

    def matches(self, stream: str) -> bool:
        """Tell whether a stream, written ``LL_B_S_SS``, is meant."""
        return self.is_data and matches(self.stream, stream)


def _read_v3(pattern: str, text: str) -> tuple[str, bool]:
    if only_type := _V3_TYPE.fullmatch(pattern):
        return "*", only_type[1] == _DATA_TYPE
    match = _V3_SELECTOR.fullmatch(pattern)
    if match is None:
        raise RefusedError("ARGUMENTS", f"selector is [!][LL]CCC[.T], was {text!r}")
    location, channel, kind = match.groups()
    is_data = kind in (None, "?", _DATA_TYPE)
    if channel is None:
        return "*", is_data
    location = "*" if location is None else location.replace("-", "")
    return f"{location}_{channel[0]}_{channel[1]}_{channel[2]}", is_data


def _read_v4(pattern: str, text: str, is_negative: bool) -> tuple[str, bool]:
    match = _V4_SELECTOR.fullmatch(pattern)
    if match is None:
        raise RefusedError("ARGUMENTS", f"selector is [!]LL_B_S_SS[.format], was {text!r}")
    stream, formats, filters = match.groups()
    asked = [one for one in filters.split(":") if one]
    if asked and is_negative:
        raise RefusedError("ARGUMENTS", "a filter cannot go with '!'")
    for one in asked:
        if one not in _V4_FILTERS:
            raise RefusedError(
                "ARGUMENTS", f"filter {one.lower()!r} is not known; there are native and 3"
            )
    if formats is None:
        return stream, True
    # anchored at the beginning of format and subformat; a lone D as in version 3 is common
    is_data = formats == _DATA_TYPE or matches(f"{formats}*", _FORMAT + _DATA_TYPE)
    return stream, is_data


def station_pattern(text: str) -> str:
    """Return a pattern over ``NET_STA`` in capitals.

    Raises
    ------
    RefusedError
        If it has characters that no station id has.
    """
    if not _STATION.fullmatch(text.upper()):
        raise RefusedError(
            "ARGUMENTS", f"a station is letters, digits, '_', '*' and '?', was {text!r}"
        )
    return text.upper()


def station_id(stream: StreamId) -> str:
    """``NET_STA``."""
    return f"{stream.network}_{stream.station}"


def stream_id(stream: StreamId) -> str:
    """``LL_B_S_SS`` of a stream with a SEED channel code (three characters)."""
    band, source, subsource = stream.channel[:1], stream.channel[1:2], stream.channel[2:]
    return f"{stream.location}_{band}_{source}_{subsource}"


def matches(pattern: str, text: str) -> bool:
    """Tell whether ``*`` (any characters) and ``?`` (one) make the pattern the whole text."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    pieces = {"*": ".*", "?": "."}
    # "**" says no more than "*" and would take exponential time
    simple = re.sub(r"\*+", "*", pattern)
    return re.compile("".join(pieces.get(char) or re.escape(char) for char in simple))
