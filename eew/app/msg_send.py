"""What ``eew msg send`` does: make one message, sign it, hand it to a broker.

Whatever it says, it is marked as a simulation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from eew import __version__
from eew.clock import NS_PER_S, Clock
from eew.core.forecast import prediction_of
from eew.egress.broker import open_broker
from eew.entropy import fresh_bytes
from eew.errors import ConfigError, DataError, WireError
from eew.ingest.help_pack import read_help_packs
from eew.messages import help_wire, wire
from eew.messages.cells import cells_to_tell, is_cell
from eew.messages.control_wire import (
    ACK_SCHEMA,
    HEARTBEAT_SCHEMA,
    STATUS_SCHEMA,
    Ack,
    Heartbeat,
    ServiceStatus,
    encode_ack,
    encode_control,
)
from eew.messages.delivery import DELIVERY
from eew.messages.key_wire import (
    ROTATION_SCHEMA,
    decode_rotation,
    join_statements,
    split_statements,
)
from eew.messages.seal import KeyPair
from eew.messages.topics import (
    ack_topic,
    alert_topic,
    area_alert_topic,
    event_current_topic,
    heartbeat_topic,
    help_area_topic,
    keys_topic,
    parse_topic,
    status_topic,
)
from eew.model.alert import (
    AlertMagnitude,
    AlertMessage,
    AlertOrigin,
    AlertQuality,
    AlertTrace,
    CancelReason,
    MsgType,
)
from eew.mqtt_link import open_link
from eew.physics.shaking import shaking_model_at

__all__ = ["KINDS", "Quake", "Ready", "alert_from_file", "make", "publish"]

KINDS = ("alert", "update", "final", "cancel", "heartbeat", "status", "help", "rotation", "ack")
_ALERTS = {kind.value: kind for kind in MsgType}
_MOST_SERIAL = 1_000_000
SERVICE_ID = "eew-msg"
RUN_ID = "eew-msg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quake:
    """The quake an alert tells of; times in s, depth in km."""

    lat: float
    lon: float
    magnitude: float
    depth_km: float = 10.0
    event_id: str = ""
    serial: int = 1
    since_origin_s: float = 8.0
    expire_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Ready:
    """A signed payload and where it is to go."""

    topic: str
    payload: bytes
    schema: str
    lifetime_s: float | None = None


def make(
    kind: str,
    signer: KeyPair,
    clock: Clock,
    *,
    quake: Quake | None = None,
    file: Path | None = None,
    to: str = "national",
    seed: int = 1,
    event_id: str = "",
    serial: int = 1,
) -> list[Ready]:
    """Make a message of a kind, signed, once for each topic it goes to.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    quake, file : Quake, pathlib.Path, optional
        What an alert tells of, or a file with its body; help packs and rotation statements, which
        the old key has signed, come from a file alone.
    to : str
        ``national``, ``area`` (every cell concerned), ``current``, or a cell.
    event_id, serial : str, int
        Which message a receipt (``ack``) answers. It bears no signature, as no receipt does.

    Raises
    ------
    ConfigError, DataError
        If something is missing or cannot be used.
    """
    if kind in _ALERTS:
        if (quake is None) == (file is None):
            raise ConfigError(
                "--lat, --lon, --magnitude", "give these three, or --from FILE, not both"
            )
        message = (
            _message(quake, _ALERTS[kind], signer, clock)
            if quake is not None
            else alert_from_file(file or Path(), _ALERTS[kind], signer, clock)
        )
        return _alerts(message, signer, to, seed)
    if kind == "heartbeat":
        beat = Heartbeat(sequence=1, sent_ns=clock.utc_ns())
        topic = heartbeat_topic(tree=signer.tree)
        return [Ready(topic, encode_control(beat, signer=signer), HEARTBEAT_SCHEMA)]
    if kind == "status":
        status = ServiceStatus(
            service_id=SERVICE_ID, online=True, version=__version__, at_ns=clock.utc_ns()
        )
        topic = status_topic(SERVICE_ID, tree=signer.tree)
        return [Ready(topic, encode_control(status, signer=signer), STATUS_SCHEMA)]
    if kind == "help":
        if file is None:
            raise ConfigError("--from", "a help pack comes from a file of eew help-pack build")
        return [
            Ready(
                help_area_topic(pack.area, tree=signer.tree),
                help_wire.encode(pack, signer=signer),
                help_wire.SCHEMA,
            )
            for pack in read_help_packs(file)
        ]
    if kind == "rotation":
        if file is None:
            raise ConfigError("--from", "statements come from a file of eew keys rotate")
        payload = _statements(file, signer)
        return [Ready(keys_topic(tree=signer.tree), payload, ROTATION_SCHEMA)]
    if kind == "ack":
        return [_receipt(event_id, serial, signer, clock)]
    raise ConfigError("KIND", f"expected one of {', '.join(KINDS)}, was {kind!r}")


def _statements(path: Path, signer: KeyPair) -> bytes:
    """Read the statements of a tree, each of which is signed on its own."""
    statements = split_statements(_read(path))
    if not statements:
        raise DataError(str(path), "holds no statement")
    for line, statement in enumerate(statements, start=1):
        try:
            tree = decode_rotation(statement).key.tree
        except WireError as error:
            raise DataError(f"{path}:{line}", str(error)) from error
        if tree is not signer.tree:
            raise ConfigError(
                "--from", f"{path}:{line} is for {tree.value}, the key for {signer.tree.value}"
            )
    return join_statements(statements)


def _receipt(event_id: str, serial: int, signer: KeyPair, clock: Clock) -> Ready:
    if not event_id:
        raise ConfigError("--event", "a receipt names the event it answers")
    if not 1 <= serial <= _MOST_SERIAL:
        raise ConfigError("--serial", f"must be 1 to {_MOST_SERIAL}, was {serial}")
    name = fresh_bytes(8).hex()
    received = Ack(
        id=name, event_id=event_id, serial=serial, outcome="received", received_ns=clock.utc_ns()
    )
    return Ready(ack_topic(name, tree=signer.tree), encode_ack(received), ACK_SCHEMA)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror or error}") from error


def alert_from_file(path: Path, kind: MsgType, signer: KeyPair, clock: Clock) -> AlertMessage:
    """Read the body of an alert and bring it up to now: issued now, everything else as far away.

    The kind asked for and the tree of the key take the place of what the file says.

    Raises
    ------
    DataError
        If it holds no alert; field and value found are named.
    """
    payload = _read(path)
    try:
        message = wire.decode(payload).message
    except WireError as error:
        raise DataError(str(path), str(error)) from error
    moved_ns = clock.utc_ns() - message.issued_ns
    trace = message.trace
    return replace(
        message,
        msg_type=kind,
        status=signer.tree,
        cancel_reason=CancelReason.FALSE_ALERT if kind is MsgType.CANCEL else None,
        issued_ns=message.issued_ns + moved_ns,
        expires_ns=message.expires_ns + moved_ns,
        first_pick_ns=message.first_pick_ns + moved_ns,
        origin=replace(message.origin, time_ns=message.origin.time_ns + moved_ns),
        trace=AlertTrace(
            last_sample_ns=trace.last_sample_ns + moved_ns,
            received_ns=trace.received_ns + moved_ns,
            pick_ns=trace.pick_ns + moved_ns,
            decided_ns=trace.decided_ns + moved_ns,
        ),
    )


def _message(quake: Quake, kind: MsgType, signer: KeyPair, clock: Clock) -> AlertMessage:
    if not (abs(quake.lat) <= 90.0 and abs(quake.lon) <= 180.0):
        raise ConfigError("--lat, --lon", f"must be on the Earth, was {quake.lat:g}, {quake.lon:g}")
    if not (-2.0 <= quake.magnitude <= 10.0 and 0.0 <= quake.depth_km <= 700.0):
        raise ConfigError(
            "--magnitude, --depth",
            f"must be -2 to 10 and 0 to 700 km, was {quake.magnitude:g} and {quake.depth_km:g}",
        )
    if not 0.0 < quake.expire_s <= 86_400.0:
        raise ConfigError("--expire", f"must be above 0 and at most a day, was {quake.expire_s:g}")
    if quake.serial < 1:
        raise ConfigError("--serial", f"must be 1 or more, was {quake.serial}")
    now_ns = clock.utc_ns()
    origin_ns = now_ns - round(quake.since_origin_s * NS_PER_S)
    return AlertMessage(
        event_id=quake.event_id or f"msg-{now_ns // NS_PER_S}",
        serial=quake.serial,
        msg_type=kind,
        status=signer.tree,
        issued_ns=now_ns,
        expires_ns=now_ns + round(quake.expire_s * NS_PER_S),
        origin=AlertOrigin(
            time_ns=origin_ns,
            lat=quake.lat,
            lon=quake.lon,
            depth_km=quake.depth_km,
            h_sigma_km=0.0,
            z_sigma_km=0.0,
            time_sigma_s=0.0,
            provisional=False,
        ),
        magnitude=AlertMagnitude(value=quake.magnitude, type="M", sigma=0.0, lower_bound=False),
        quality=AlertQuality(n_stations=0, n_picks=0, gap_deg=360.0, likelihood=1.0),
        prediction=prediction_of(
            shaking_model_at(quake.lat, quake.lon), quake.magnitude, quake.depth_km, None
        ),
        first_pick_ns=now_ns,
        trace=AlertTrace(
            last_sample_ns=now_ns, received_ns=now_ns, pick_ns=now_ns, decided_ns=now_ns
        ),
        cancel_reason=CancelReason.FALSE_ALERT if kind is MsgType.CANCEL else None,
    )


def _alerts(message: AlertMessage, signer: KeyPair, to: str, seed: int) -> list[Ready]:
    tree = signer.tree
    try:
        payload = wire.encode(
            message, run_id=RUN_ID, seed=seed, sent_ns=message.issued_ns, signer=signer
        )
        if to == "national":
            topics = [alert_topic(tree=tree)]
        elif to == "current":
            topics = [event_current_topic(message.event_id, tree=tree)]
        elif to == "area":
            topics = [area_alert_topic(cell, tree=tree) for cell in cells_to_tell(message)]
        elif is_cell(to):
            topics = [area_alert_topic(to, tree=tree)]
        else:
            raise ConfigError("--to", f"expected national, area, current or a cell, was {to!r}")
    except WireError as error:
        raise ConfigError("message", str(error)) from error
    if not topics:
        raise ConfigError("--to", "no place is shaken enough to be told", hint="--to national")
    lifetime_s = (message.expires_ns - message.issued_ns) / NS_PER_S
    return [Ready(topic, payload, wire.SCHEMA, lifetime_s) for topic in topics]


async def publish(ready: list[Ready], broker: str) -> None:
    """Publish, each as its kind of topic wants it; return when the broker has taken all.

    Raises
    ------
    ConfigError, ConnectError, PublishError
        If the broker cannot be used.
    """
    async with open_broker(broker) as address, open_link(address) as link:
        for one in ready:
            rule = DELIVERY[parse_topic(one.topic).kind]
            await link.publish(
                one.topic,
                one.payload,
                qos=rule.qos,
                retain=rule.retained,
                expiry_s=None if one.lifetime_s is None else max(1, round(one.lifetime_s)),
                schema=one.schema,
            )
