"""What stands on the broker beside the alerts: help packs, keys, status; and the heartbeat."""

from __future__ import annotations

from collections.abc import Sequence

from eew import __version__
from eew.egress.plan import Outgoing
from eew.messages import help_wire, key_wire
from eew.messages.control_wire import Heartbeat, ServiceStatus, encode_control
from eew.messages.properties import properties_of
from eew.messages.seal import Signer
from eew.messages.topics import help_area_topic, keys_topic, status_topic
from eew.model.place import HelpPack
from eew.mqtt_packets import Properties

__all__ = ["HEARTBEAT_PROPERTIES", "help_pack", "key_statements", "service_status"]

HEARTBEAT_PROPERTIES: Properties = properties_of(str(Heartbeat.__struct_config__.tag))
_STATUS = str(ServiceStatus.__struct_config__.tag)


def help_pack(pack: HelpPack, signer: Signer) -> Outgoing:
    """Return a help pack for the tree of its signer."""
    payload = help_wire.encode(pack, signer=signer)
    deflated = help_wire.is_deflated(payload)
    topic = help_area_topic(pack.area, tree=signer.tree)
    return _retained(topic, payload, properties_of(help_wire.SCHEMA, deflated=deflated))


def key_statements(statements: Sequence[bytes], signer: Signer) -> Outgoing:
    """Return signed statements by which one key names the next, oldest first."""
    payload = key_wire.join_statements(list(statements))
    topic = keys_topic(tree=signer.tree)
    return _retained(topic, payload, properties_of(key_wire.ROTATION_SCHEMA), urgent=True)


def service_status(service_id: str, signer: Signer, *, online: bool, at_ns: int) -> Outgoing:
    """Return whether a service is there since, or was until, a data time in UTC ns."""
    status = ServiceStatus(service_id=service_id, online=online, version=__version__, at_ns=at_ns)
    topic = status_topic(service_id, tree=signer.tree)
    return _retained(topic, encode_control(status, signer=signer), properties_of(_STATUS))


def _retained(
    topic: str, payload: bytes, properties: Properties, *, urgent: bool = False
) -> Outgoing:
    return Outgoing(
        key=topic,
        topics=(topic,),
        payload=payload,
        n_retained=1,
        properties=properties,
        urgent=urgent,
    )
