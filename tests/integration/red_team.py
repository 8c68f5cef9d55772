"""An attacker who may publish anything anywhere, and what it can make without a key.

It has recorded the traffic of days: alerts of quakes that are over, heartbeats, a last will, help
packs, drills. It has keys of its own, the drill key of a careless operator, and an old key that
the service has long replaced. It does not have the key of the tree people live by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clients.phone import Phone
from eew.messages import help_wire
from eew.messages.control_wire import Heartbeat, ServiceStatus, encode_control
from eew.messages.key_wire import Rotation, encode_rotation, join_statements
from eew.messages.seal import KeyPair, Keyring, PublicKey, seal
from eew.messages.topics import (
    area_alert_topic,
    event_current_topic,
    heartbeat_topic,
    help_topic,
    keys_topic,
    status_topic,
)
from eew.messages.wire import MAX_PAYLOAD_BYTES, encode
from eew.model.alert import AlertMessage, MsgType, Status
from eew.model.place import HelpPack
from tests.integration.brokers import EPICENTRE, NOW_NS, alert, pack_of

S = 10**9
DAY_NS = 86_400 * S
SERVICE = "test"

KEY = KeyPair("ex-1", Status.EXERCISE, bytes([1]) * 32, until_ns=NOW_NS + 300 * DAY_NS)
DRILL_KEY = KeyPair("dr-1", Status.DRILL, bytes([2]) * 32)
OLD_KEY = KeyPair("ex-0", Status.EXERCISE, bytes([3]) * 32, until_ns=NOW_NS - DAY_NS)
OWN_KEY = KeyPair("ex-9", Status.EXERCISE, bytes([4]) * 32)  # the attacker's
BORROWED = KeyPair("ex-1", Status.EXERCISE, bytes([4]) * 32)  # the same, under a trusted name
EARLY_KEY = KeyPair("ex-2", Status.EXERCISE, bytes([5]) * 32, from_ns=NOW_NS + DAY_NS)
PINNED: tuple[PublicKey, ...] = (KEY.public, DRILL_KEY.public, OLD_KEY.public, EARLY_KEY.public)

TOPIC = tuple[str, bytes]


def phone(**settings: Any) -> Phone:
    """Return a phone near the epicentre that trusts the service."""
    values: dict[str, Any] = {
        "id": "target",
        "lat": EPICENTRE[0] + 0.05,
        "lon": EPICENTRE[1],
        "country": "CN",
        "keyring": Keyring(PINNED),
    }
    return Phone(**(values | settings))


def sealed(message: AlertMessage, signer: KeyPair) -> bytes:
    """Sign whatever the encoder of an honest service would refuse to sign."""
    body = encode(message, run_id="run", seed=1, sent_ns=message.issued_ns, signer=None)
    return seal(body, signer)


def beat(sent_ns: int, signer: KeyPair, sequence: int = 1) -> bytes:
    return encode_control(Heartbeat(sequence=sequence, sent_ns=sent_ns), signer=signer)


def status(at_ns: int | None, signer: KeyPair, *, online: bool = False) -> bytes:
    word = ServiceStatus(service_id=SERVICE, online=online, at_ns=at_ns)
    return encode_control(word, signer=signer)


class Attacker:
    """Makes forgeries for one cell; ``now_ns`` is the time by which they are aimed."""

    def __init__(self, rng: np.random.Generator, cell: str, now_ns: int = NOW_NS) -> None:
        self._rng = rng
        self._cell = cell
        self._now_ns = now_ns
        self.area = area_alert_topic(cell)
        self.live = [sealed(self._alert(event_id=f"seen-{n}"), KEY) for n in range(20)]

    def _alert(self, **settings: Any) -> AlertMessage:
        """Return a message that would empty a town: strong, near and now."""
        rng = self._rng
        values: dict[str, Any] = {
            "serial": int(rng.integers(1, 9)),
            "event_id": f"forged-{rng.integers(10**9)}",
            "issued_ns": self._now_ns - int(rng.integers(0, S)),
            "magnitude": round(float(rng.uniform(6.5, 8.5)), 2),
            "radius_km": 150.0,
        }
        return alert(**(values | settings))

    def _on_any(self, event_id: str = "forged") -> str:
        """Return one of the topics from which a device would take an alert."""
        return self.area if self._rng.random() < 0.8 else event_current_topic(event_id)

    # ------------------------------------------------------------------ alerts without a key

    def unsigned(self) -> TOPIC:
        message = self._alert()
        payload = encode(message, run_id="run", seed=1, sent_ns=message.issued_ns, signer=None)
        return self._on_any(), payload

    def bit_flipped(self) -> TOPIC:
        payload = bytearray(self.live[self._rng.integers(len(self.live))])
        payload[self._rng.integers(len(payload))] ^= 1 << int(self._rng.integers(8))
        return self._on_any(), bytes(payload)

    def truncated(self) -> TOPIC:
        payload = self.live[self._rng.integers(len(self.live))]
        return self._on_any(), payload[: self._rng.integers(1, len(payload))]

    def oversize(self) -> TOPIC:
        payload = self.live[self._rng.integers(len(self.live))]
        filling = b" " * int(self._rng.integers(MAX_PAYLOAD_BYTES, 4 * MAX_PAYLOAD_BYTES))
        return self._on_any(), payload[:1] + filling + payload[1:]

    def foreign_key(self) -> TOPIC:
        return self._on_any(), sealed(self._alert(), OWN_KEY)

    def borrowed_name(self) -> TOPIC:
        return self._on_any(), sealed(self._alert(), BORROWED)

    def key_that_is_over(self) -> TOPIC:
        return self._on_any(), sealed(self._alert(), OLD_KEY)

    def key_that_is_early(self) -> TOPIC:
        """The key of next year, stolen before its time."""
        return self._on_any(), sealed(self._alert(), EARLY_KEY)

    def cancel(self, event_id: str = "ev1") -> TOPIC:
        key = (OWN_KEY, BORROWED, DRILL_KEY, OLD_KEY)[self._rng.integers(4)]
        serial = int(self._rng.integers(2, 1000))
        message = self._alert(event_id=event_id, serial=serial, msg_type=MsgType.CANCEL)
        return self._on_any(event_id), sealed(message, key)

    def junk(self) -> TOPIC:
        """What is no message at all: noise, and JSON that is deep, odd or long."""
        n = int(self._rng.integers(1, 5_000))
        kinds = (
            self._rng.bytes(n),
            b"[" * n,
            b'{"a":' * n,
            b"null",
            b"NaN",
            b'{"sig":"' + b"x" * n,
        )
        return self._on_any(), kinds[self._rng.integers(len(kinds))]

    def nonsense(self) -> TOPIC:
        """A service gone mad: its own key, under what no encoder of ours would write."""
        message = self._alert()
        body = encode(message, run_id="run", seed=1, sent_ns=message.issued_ns, signer=None)
        members = (
            b'"simulation":false',
            b'"status":"actual"',
            b'"magnitude":[NaN,0.1,"M"]',
            b'"magnitude":[1e999,0.1,"M"]',
            b'"serial":' + b"9" * 300,
            b'"serial":1.5',
            b'"expires_ms":9223372036854775807',
            b'"origin":' + b"[" * 1500 + b"]" * 1500,
            b'"run":"\xff\xfe/1"',
            b'"run":"\\ud800/1"',
        )
        member = members[self._rng.integers(len(members))]  # the second of its name: it counts
        return self._on_any(), seal(body[:-1] + b"," + member + b"}", KEY)

    # ------------------------------------------------------------------ genuine, out of place

    def expired(self) -> TOPIC:
        """A recorded alert of a quake that is over, which this device has never heard of."""
        age_ns = 120 * S + int(self._rng.integers(0, 30 * DAY_NS))
        return self._on_any(), sealed(self._alert(issued_ns=self._now_ns - age_ns), KEY)

    def from_the_future(self) -> TOPIC:
        ahead_ns = 2 * S + int(self._rng.integers(S, 30 * DAY_NS))
        return self._on_any(), sealed(self._alert(issued_ns=self._now_ns + ahead_ns), KEY)

    def drill_as_real(self) -> TOPIC:
        message = replace(self._alert(), status=Status.DRILL)
        return self._on_any(), sealed(message, DRILL_KEY)

    def drill_relabelled(self) -> TOPIC:
        return self._on_any(), sealed(self._alert(), DRILL_KEY)

    def wrong_status(self) -> TOPIC:
        """The service itself put a drill or test into the tree people live by."""
        tree = (Status.DRILL, Status.TEST)[self._rng.integers(2)]
        return self._on_any(), sealed(replace(self._alert(), status=tree), KEY)

    def real_as_drill(self) -> TOPIC:
        """An alert of the exercise tree among those who live by the drill tree."""
        message = self._alert()
        if self._rng.random() < 0.5:
            message = replace(message, status=Status.DRILL)
        return area_alert_topic(self._cell, tree=Status.DRILL), sealed(message, KEY)

    # ------------------------------------------------------------------ all else a device hears

    def heartbeat_forged(self) -> TOPIC:
        key = (OWN_KEY, BORROWED, DRILL_KEY, OLD_KEY)[self._rng.integers(4)]
        sent_ns = self._now_ns + int(self._rng.integers(-DAY_NS, DAY_NS))
        return heartbeat_topic(), beat(sent_ns, key)

    def heartbeat_replayed(self) -> TOPIC:
        age_ns = 60 * S + int(self._rng.integers(0, 30 * DAY_NS))
        return heartbeat_topic(), beat(self._now_ns - age_ns, KEY)

    def help_forged(self) -> TOPIC:
        """A shelter in the attacker's cellar."""
        key = (OWN_KEY, BORROWED, DRILL_KEY, OLD_KEY)[self._rng.integers(4)]
        pack: HelpPack = pack_of(self._cell, version=int(self._rng.integers(2, 10**6)))
        cellar = replace(pack.shelters[0], name=f"Cellar {self._rng.integers(10**6)}")
        many = tuple(
            replace(cellar, id=str(n), lat=cellar.lat + n / 1000)
            for n in range(1 if self._rng.random() < 0.5 else 40)  # the longer ones are deflated
        )
        return help_topic(self._cell), help_wire.encode(replace(pack, shelters=many), signer=key)

    def status_forged(self) -> TOPIC:
        key = (OWN_KEY, BORROWED, DRILL_KEY, OLD_KEY)[self._rng.integers(4)]
        at_ns = self._now_ns + int(self._rng.integers(0, DAY_NS))
        return status_topic(SERVICE), status(at_ns, key)

    def status_replayed(self) -> TOPIC:
        """The last will of a connection that ended before the one that stands."""
        at_ns = self._now_ns - 60 * S - int(self._rng.integers(0, 30 * DAY_NS))
        undated = self._rng.random() < 0.1
        return status_topic(SERVICE), status(None if undated else at_ns, KEY)

    def rotation_forged(self) -> TOPIC:
        """The attacker's key as the next one: self-signed, by the drill key, by the old key."""
        signer = (OWN_KEY, BORROWED, DRILL_KEY, OLD_KEY)[self._rng.integers(4)]
        name = f"ex-{self._rng.integers(10**6)}"
        key = KeyPair(name, signer.tree, bytes(self._rng.bytes(32))).public
        if self._rng.random() < 0.3:
            key = replace(key, key_id=KEY.key_id)  # in the place of the one that counts
        rotation = Rotation(key=key, previous_until_ns=self._now_ns + DAY_NS)
        return keys_topic(), join_statements([encode_rotation(rotation, signer)])


Forge = Callable[[Attacker], TOPIC]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of forgery, and the only reasons for which it may be refused."""

    forge: Forge
    reasons: frozenset[str]


def _kind(forge: Forge, *reasons: str) -> Kind:
    return Kind(forge, frozenset(reasons))


_NO_KEY = ("unknown_key", "bad_signature", "wrong_tree", "key_expired")
KINDS: dict[str, Kind] = {
    "unsigned": _kind(Attacker.unsigned, "unsigned"),
    # a flipped bit may hit the body, the name of the key, or the mark by which a seal is known
    "bit flipped": _kind(Attacker.bit_flipped, "bad_signature", "unknown_key", "unsigned"),
    "truncated": _kind(Attacker.truncated, "unsigned"),
    "oversize": _kind(Attacker.oversize, "oversize"),
    "junk": _kind(Attacker.junk, "unsigned", "oversize"),
    "nonsense signed": _kind(Attacker.nonsense, "unreadable"),
    "foreign key": _kind(Attacker.foreign_key, "unknown_key"),
    "borrowed name": _kind(Attacker.borrowed_name, "bad_signature"),
    "key that is over": _kind(Attacker.key_that_is_over, "key_expired"),
    "key that is early": _kind(Attacker.key_that_is_early, "key_not_yet_valid"),
    "cancel forged": _kind(Attacker.cancel, *_NO_KEY),
    "expired": _kind(Attacker.expired, "expired"),
    "from the future": _kind(Attacker.from_the_future, "future"),
    "drill as real": _kind(Attacker.drill_as_real, "wrong_tree"),
    "drill relabelled": _kind(Attacker.drill_relabelled, "wrong_tree"),
    "wrong status": _kind(Attacker.wrong_status, "wrong_status"),
    "heartbeat forged": _kind(Attacker.heartbeat_forged, *_NO_KEY),
    "heartbeat replayed": _kind(Attacker.heartbeat_replayed, "old_heartbeat"),
    "help pack forged": _kind(Attacker.help_forged, *_NO_KEY),
    "status forged": _kind(Attacker.status_forged, *_NO_KEY),
    "status replayed": _kind(Attacker.status_replayed, "old_status"),
    "rotation forged": _kind(Attacker.rotation_forged, *_NO_KEY),
}
