"""Bytes of a connection -> message codes, parsed once for all devices.

A broker sends every subscriber of a topic the same bytes but for the packet identifier. What was
read once is therefore found again by its bytes alone, without parsing: one look-up for each
delivery. Whatever is not exactly one known PUBLISH goes through :mod:`eew.mqtt_packets`.
"""

from __future__ import annotations

from collections.abc import Callable

from eew.mqtt_packets import PUBLISH, Frame, next_frame, parse_publish

__all__ = ["NOTHING", "UNKNOWN", "FrameBook"]

# A code is twice the logic's number of a message, plus 1 where the broker had kept it (retained).

NOTHING = -1  # a PUBLISH with nothing in it: a retained message was taken back
UNKNOWN = -2  # not seen before, or not exactly one PUBLISH
_REMEMBERED = 256  # frames; the logic may give a number out again after as many others
_QOS = 0x06
_NO_ID = b""


class FrameBook:
    """The frames seen so far.

    Parameters
    ----------
    intern : callable
        Turns topic and payload into a message number; called once for each new frame.
    version : int
        Of MQTT: 5, or 4 for 3.1.1.
    """

    def __init__(self, intern: Callable[[bytes, bytes], int], version: int) -> None:
        self._intern = intern
        self._version = version
        self._known: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._known)

    def find(self, chunk: bytes) -> tuple[int, bytes]:
        """Return code and packet identifier (two bytes, none with QoS 0) of a whole PUBLISH.

        The code is ``UNKNOWN`` for anything else.
        """
        key, packet_id = _key(chunk)
        return self._known.get(key, UNKNOWN), packet_id

    def read(self, chunk: bytes) -> tuple[list[tuple[int, bytes]], list[tuple[Frame, bytes]], int]:
        """Take all whole packets at the beginning of a chunk.

        Returns
        -------
        published : list of (int, bytes)
            Code and packet identifier of each PUBLISH.
        control : list of (Frame, bytes)
            The other packets, each with its body.
        used : int
            How many bytes that was; the rest is the beginning of a packet.

        Raises
        ------
        WireError
            If it is not MQTT.
        """
        published: list[tuple[int, bytes]] = []
        control: list[tuple[Frame, bytes]] = []
        used = 0
        while (frame := next_frame(chunk, used)) is not None:
            if frame.kind == PUBLISH:
                published.append(self._publish(chunk[used : frame.end], frame, used))
            else:
                control.append((frame, chunk[frame.start : frame.end]))
            used = frame.end
        return published, control, used

    def _publish(self, one: bytes, frame: Frame, start: int) -> tuple[int, bytes]:
        key, packet_id = _key(one)
        code = self._known.get(key, UNKNOWN)
        if code == UNKNOWN:
            found = parse_publish(frame.first, one[frame.start - start :], version=self._version)
            code = NOTHING
            if found.payload:
                code = self._intern(found.topic, found.payload) << 1 | found.retain
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = code
        return code, packet_id


def _key(one: bytes) -> tuple[bytes, bytes]:
    """Return a PUBLISH without its packet identifier, and the identifier."""
    if not one[0] & _QOS:
        return one, _NO_ID
    try:
        at = 1
        while one[at] & 0x80:
            at += 1
        at += 3 + (one[at + 1] << 8 | one[at + 2])
    except IndexError:  # the beginning of a packet
        return one, _NO_ID
    return one[:at] + one[at + 2 :], one[at : at + 2]
