"""What a device says until it is subscribed, and what the answers mean. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from clients.crowd.accounts import Account, CrowdAccounts
from clients.crowd.interface import DeviceLogic, Filters
from clients.crowd.settings import EngineSettings
from clients.crowd.sockets import RECEIPT, Identities
from eew import mqtt_packets as mqtt

__all__ = ["ConnectPacket", "Join", "connack_problem", "suback_problem"]

# endings of topics
_ALERT, _KEYS, _CURRENT, _HEARTBEAT = ("/alert",), ("/keys",), ("/current",), ("/heartbeat",)
_REFUSED = 0x80
_PATIENCE_S = 7200
# packet identifiers; nothing else of ours is ever acknowledged
_JOIN_ID, _LEAVE_ID, _REST_ID, _MOVED_ID = range(1, 5)
_CONNACK = {  # MQTT 5, 3.2.2.2, and 3.1.1, 3.2.2.3
    0x01: "speaks another version of MQTT", 0x02: "refused the client identifier",
    0x03: "is not available", 0x04: "refused user name or password", 0x05: "refused: not allowed",
    0x84: "speaks another version of MQTT", 0x85: "refused the client identifier",
    0x86: "refused user name or password", 0x87: "refused: not allowed",
    0x88: "is not available", 0x89: "is busy", 0x8A: "has banned us",
    0x97: "has reached its quota", 0x9F: "refused: too many connections at once",
}  # fmt: skip


class ConnectPacket:
    """Writes the CONNECT of a device.

    Parameters
    ----------
    patient : collection of int
        Devices that sleep for long: a long keepalive, and a session the broker keeps for them.
    named : bool
        They say who they are by the name under which they send receipts: brokers with rules
        take these from nobody else.
    """

    def __init__(
        self,
        version: int,
        accounts: CrowdAccounts,
        identities: Identities,
        settings: EngineSettings,
        patient: Collection[int] = (),
        *,
        named: bool = False,
    ) -> None:
        self._version, self._accounts = version, accounts
        self._identities, self._settings = identities, settings
        self._patient, self._named = patient, named
        # MQTT 5 without a session to come back to: the broker assigns a name, and all devices with
        # the same account say the same
        self._unnamed = version == mqtt.MQTT_5 and not named
        self._same: dict[int, bytes] = {}

    def of(self, device: int) -> bytes:
        """Return the packet."""
        account = self._accounts.of(device)
        patient = device in self._patient
        if not self._unnamed or patient:
            return self._write(self._name(device), account, patient=patient)
        row = int(self._accounts.of_device[device])
        packet = self._same.get(row)
        if packet is None:
            packet = self._same[row] = self._write("", account)
        return packet

    def _name(self, device: int) -> str:
        if self._named:
            return self._identities.of(device, RECEIPT)
        return "eew" + self._identities.of(device, "client")

    def _write(self, client_id: str, account: Account, *, patient: bool = False) -> bytes:
        return mqtt.connect(
            client_id,
            version=self._version,
            keepalive_s=_PATIENCE_S if patient else self._settings.keepalive_s,
            username=account.username,
            password=account.password,
            clean=not patient,
            session_expiry_s=_PATIENCE_S if patient else 0,
            receive_maximum=self._settings.receive_maximum,
        )


class Join:
    """Writes what a device subscribes to, in steps, and what it leaves again.

    First what saves lives: the alerts of its cell; the keys that may have followed those it
    holds, and the current state of what goes on, which both are left again once they have been
    read. All else (help, status, heartbeat, and keys for good) comes after, at a bounded rate:
    mosquitto looks through all subscribers of a topic before it adds one, and ten thousand that
    come back at once would wait for each other's help packs before any is told.

    Parameters
    ----------
    follow_heartbeat : collection of int
        Devices that go on following the heartbeat, as televisions do. The others listen to it
        for a while only, to check their clock: 10,000 phones that follow it are 10,000
        deliveries each second.
    """

    def __init__(
        self, logic: DeviceLogic, version: int, follow_heartbeat: Collection[int] = ()
    ) -> None:
        self._logic, self._version, self._follow = logic, version, follow_heartbeat
        # one packet for all devices with the same filters
        self._subscribe: dict[tuple[tuple[str, int], ...], bytes] = {}
        self._unsubscribe: dict[tuple[str, ...], bytes] = {}

    def first(self, device: int) -> bytes:
        """Return the SUBSCRIBE by which a device is told of alerts."""
        wanted = self._logic.subscriptions(device)
        return self._join(
            _JOIN_ID, _ending(wanted, _ALERT) + _ending(wanted, _KEYS) + _ending(wanted, _CURRENT)
        )

    def rest(self, device: int) -> bytes:
        """Return the SUBSCRIBE to everything else; empty where there is nothing."""
        wanted = self._logic.subscriptions(device)
        done = _ending(wanted, _ALERT + _CURRENT)
        return self._join(_REST_ID, tuple(one for one in wanted if one not in done))

    def leave_current(self, device: int) -> bytes:
        """Return the UNSUBSCRIBE of what was read on joining."""
        return self._leave(_ending(self._logic.subscriptions(device), _CURRENT + _KEYS))

    def anew(self, topics: Sequence[str]) -> bytes:
        """Return the SUBSCRIBE of a device that has come into another area."""
        return self._join(_MOVED_ID, tuple((topic, 1) for topic in topics))

    def leave(self, topics: Sequence[str]) -> bytes:
        """Return the UNSUBSCRIBE of what belonged to the area a device has left."""
        return self._leave(tuple((topic, 1) for topic in topics))

    def leave_current_again(self, device: int) -> bytes:
        """Return the UNSUBSCRIBE of the current state alone, read on coming into another area."""
        return self._leave(_ending(self._logic.subscriptions(device), _CURRENT))

    def leave_heartbeat(self, device: int) -> bytes:
        """Return the UNSUBSCRIBE of the heartbeat; empty where the device goes on following it."""
        if device in self._follow:
            return b""
        return self._leave(_ending(self._logic.subscriptions(device), _HEARTBEAT))

    def _join(self, packet_id: int, filters: Filters) -> bytes:
        packet = self._subscribe.get(filters)
        if packet is None:
            packet = b""
            if filters:
                packet = mqtt.subscribe(packet_id, filters, version=self._version)
            self._subscribe[filters] = packet
        return packet

    def _leave(self, filters: Filters) -> bytes:
        names = tuple(name for name, _ in filters)
        packet = self._unsubscribe.get(names)
        if packet is None:
            packet = b""
            if names:
                packet = mqtt.unsubscribe(_LEAVE_ID, names, version=self._version)
            self._unsubscribe[names] = packet
        return packet


def _ending(filters: Filters, endings: tuple[str, ...]) -> Filters:
    return tuple(one for one in filters if one[0].endswith(endings))


def connack_problem(body: bytes, *, version: int) -> str:
    """Return why a broker said no; empty where it said yes."""
    reason = mqtt.parse_connack(body, version=version).reason
    return f"the broker {_CONNACK.get(reason, f'said {reason:#x}')}" if reason else ""


def suback_problem(body: bytes, *, version: int) -> str:
    """Return what a broker refused to let us hear; empty where it let us have everything."""
    _, codes = mqtt.parse_suback(body, version=version)
    refused = [number for number, code in enumerate(codes) if code >= _REFUSED]
    return f"the broker refused the subscription to filter {refused[0] + 1}" if refused else ""
