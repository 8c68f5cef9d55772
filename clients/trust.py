"""Whom a device believes: size, tree, signature and validity, and how keys are handed on.

A message is judged in this order, the cheapest first, and nothing in it is read before its
signature has been checked by a key for the tree of the topic it came on. Without keys a device
believes nobody. Whether a key counts is judged by the service's time as the device knows it. A key
that is over is refused whatever the clock: it may have been stolen since. A key that does not
count *yet* is only refused where the time is known: nobody but the service has it, so with an
unknown clock it is the clock that is wrong.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from eew.errors import WireError
from eew.messages import help_wire, wire
from eew.messages.key_wire import MAX_STATEMENTS_BYTES, decode_rotation
from eew.messages.seal import Keyring, PublicKey, SealError
from eew.messages.topics import ParsedTopic, TopicKind, parse_topic
from eew.model.alert import Status

__all__ = ["Distrust", "Trust"]

_CONTROL_BYTES = 2_048
_HELP_BYTES = 4_000_000  # deflated; the longest list of a city is 0.3 MB
# The longest payload of each kind a device reads; other kinds are not for devices.
_MOST_BYTES = {
    TopicKind.ALERT: wire.MAX_PAYLOAD_BYTES,
    TopicKind.EVENT_CURRENT: wire.MAX_PAYLOAD_BYTES,
    TopicKind.AREA_ALERT: wire.MAX_PAYLOAD_BYTES,
    TopicKind.HELP_CELL: _HELP_BYTES,
    TopicKind.HELP_COUNTRY: _HELP_BYTES,
    TopicKind.KEYS: MAX_STATEMENTS_BYTES,
    TopicKind.STATUS: _CONTROL_BYTES,
    TopicKind.HEARTBEAT: _CONTROL_BYTES,
}


class Distrust(Exception):  # noqa: N818  # an answer rather than an error
    """A message that is not believed; ``reason`` is the name of a counter."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}")


class Trust:
    """The tree and the keys of one device; a keyring may be shared by devices of a process."""

    def __init__(self, keyring: Keyring | None, tree: Status) -> None:
        self._keyring = keyring if keyring is not None else Keyring()
        self._tree = tree

    def admit(self, topic: str, payload: bytes, service_ns: int, *, known: bool) -> ParsedTopic:
        """Return what a topic carries, where the payload may be read as that.

        Of ``keys`` each line is believed or not for itself, by :meth:`follow`.

        Raises
        ------
        Distrust
            Where it may not.
        """
        try:
            parsed = parse_topic(topic)
        except WireError as error:
            raise Distrust("unreadable", str(error)) from None
        most = _MOST_BYTES.get(parsed.kind)
        if most is None:
            raise Distrust("not_for_devices", f"a device does not listen to {parsed.kind.value}")
        if len(payload) > most:
            raise Distrust("oversize", f"{len(payload)} bytes, more than {most}")
        if parsed.tree is not self._tree:
            raise Distrust("other_tree", f"the device lives by {self._tree.value}")
        if parsed.kind is not TopicKind.KEYS:
            signed = payload
            if parsed.kind in (TopicKind.HELP_CELL, TopicKind.HELP_COUNTRY):
                signed = _inflated(payload)
            self.check(signed, service_ns, known=known)
        return parsed

    def check(self, payload: bytes, service_ns: int, *, known: bool) -> PublicKey:
        """Return the key by which a payload is believed.

        Parameters
        ----------
        service_ns, known : int, bool
            The service's time, and whether the device knows it or only believes its own clock.

        Raises
        ------
        Distrust
            Where it is not.
        """
        try:
            key = self._keyring.verify(payload, self._tree)
        except SealError as error:
            raise Distrust(error.flaw.value, str(error)) from None
        if key.is_over(service_ns):
            raise Distrust("key_expired", f"key {key.key_id!r} counts no more")
        if known and key.is_early(service_ns):
            raise Distrust("key_not_yet_valid", f"key {key.key_id!r} does not count yet")
        return key

    def follow(self, statement: bytes, service_ns: int, *, known: bool) -> None:
        """Trust the key that a trusted one names as its successor; a second reading is nothing.

        Raises
        ------
        Distrust
            Where the statement is not believed, or its name is taken by another key.
        WireError
            If it is signed and cannot be read.
        """
        signed_by = self.check(statement, service_ns, known=known)
        rotation = decode_rotation(statement)
        key = rotation.key
        if key.tree is not signed_by.tree:
            detail = f"key {signed_by.key_id!r} cannot hand on to one for {key.tree.value}"
            raise Distrust("wrong_tree", detail)
        held = self._keyring.get(key.key_id)
        if held is not None and held.raw != key.raw:
            raise Distrust("key_conflict", f"another key is called {key.key_id!r}")
        if held is None:
            self._keyring.add(key)
        until_ns = rotation.previous_until_ns
        if signed_by.from_ns < until_ns and not signed_by.is_over(until_ns):
            self._keyring.add(replace(signed_by, until_ns=until_ns))


# one pack comes to every device of a process
_inflated = lru_cache(maxsize=8)(help_wire.inflated)
