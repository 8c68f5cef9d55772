"""The AsyncAPI 3.0 document of the protocol, made from the code that speaks it.

Addresses come from the topic builders, payloads from the types that encode and decode, QoS and
retention from ``eew.messages.delivery``. https://www.asyncapi.com/docs/reference/specification/v3.0.0;
payload schemas are JSON Schema draft 7, which it takes without a declaration of its own.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from eew.messages import control_wire, help_wire, key_wire, topics, wire, wire_schema
from eew.messages.delivery import DELIVERY, Delivery
from eew.messages.properties import CONTENT_TYPE
from eew.messages.topics import TopicKind
from eew.model.alert import Status

__all__ = ["CHANNELS", "asyncapi_document"]

_SAMPLE_CELL = topics.cell_of(0.0, 0.0)
_ID = "sample-id"
_COUNTRY = "XX"

# how a kind's topic is built from a sample of its parameter, and what that is called
CHANNELS: dict[TopicKind, tuple[Callable[..., str], str, str]] = {
    TopicKind.ALERT: (topics.alert_topic, "", ""),
    TopicKind.AREA_ALERT: (topics.area_alert_topic, "cell", _SAMPLE_CELL),
    TopicKind.EVENT_CURRENT: (topics.event_current_topic, "event_id", _ID),
    TopicKind.HELP_CELL: (topics.help_topic, "cell", _SAMPLE_CELL),
    TopicKind.HELP_COUNTRY: (topics.help_country_topic, "country", _COUNTRY),
    TopicKind.KEYS: (topics.keys_topic, "", ""),
    TopicKind.STATUS: (topics.status_topic, "service_id", _ID),
    TopicKind.HEARTBEAT: (topics.heartbeat_topic, "", ""),
    TopicKind.ACK: (topics.ack_topic, "client_id", _ID),
}

_PARAMETERS = {
    "cell": "An area: a cell of the H3 grid as 15 hexadecimal digits, see docs/decisions.",
    "event_id": "Event, unique in the run; A-Z a-z 0-9 . _ : -",
    "country": "ISO 3166-1 alpha-2.",
    "service_id": "Service; A-Z a-z 0-9 . _ : -",
    "client_id": "Drawn by a device for one connection's life; says nothing of who or where.",
}

# message -> the type that travels, its schema's name, and on which topics
_MESSAGES: dict[str, tuple[type[msgspec.Struct], str, tuple[TopicKind, ...]]] = {
    "alert": (
        wire_schema.Alert,
        wire.SCHEMA,
        (TopicKind.ALERT, TopicKind.AREA_ALERT, TopicKind.EVENT_CURRENT),
    ),
    "help_pack": (
        help_wire.HelpDocument,
        help_wire.SCHEMA,
        (TopicKind.HELP_CELL, TopicKind.HELP_COUNTRY),
    ),
    "rotation": (key_wire.Statement, key_wire.ROTATION_SCHEMA, (TopicKind.KEYS,)),
    "service_status": (
        control_wire.ServiceStatus,
        control_wire.STATUS_SCHEMA,
        (TopicKind.STATUS,),
    ),
    "heartbeat": (control_wire.Heartbeat, control_wire.HEARTBEAT_SCHEMA, (TopicKind.HEARTBEAT,)),
    "ack": (control_wire.Ack, control_wire.ACK_SCHEMA, (TopicKind.ACK,)),
}
_REMARKS = {
    "help_pack": "Deflated (zlib, content type application/zlib) from 1,500 bytes; the signature "
    "stands in the plain JSON.",
    "rotation": "One statement per line, oldest first, each signed on its own by the key before.",
    "ack": "Not signed: a device has no key, and what it says is counted, not believed.",
}
_SEALED = {
    "title": "Sealed",
    "description": "Ed25519 (RFC 8032) over every byte before the comma of the last member, sig. "
    "key and sig are the last two members, written without spaces.",
    "type": "object",
    "properties": {
        "key": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,32}$"},
        "sig": {"type": "string", "pattern": "^[A-Za-z0-9_-]{86}$"},
    },
    "required": ["key", "sig"],
}
_HEADERS = {
    "type": "object",
    "description": "User properties of MQTT 5; absent with 3.1.1.",
    "properties": {
        "schema": {"type": "string"},
        "traceparent": {
            "type": "string",
            "description": "W3C trace context: one trace per event of a run, one span per message.",
            "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$",
        },
    },
}


def asyncapi_document() -> dict[str, Any]:
    """Return the document; the same for the same code."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for tree in Status:
        for kind, delivery in DELIVERY.items():
            name = f"{tree.value}_{kind.value}"
            channels[name] = _channel(kind, tree)
            verb = "publish" if delivery.from_service else "take"
            operations[f"{verb}_{name}"] = _operation(name, kind, delivery)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "SIMULATION: earthquake early-warning alerts",
            "version": topics.PREFIX.rpartition("/v")[2] + ".0.0",
            "description": "Alerts, help packs and their surroundings over MQTT, seen from the "
            "service. Everything is a simulation: there is no status for an actual alert. The "
            "same protocol runs in three trees of topics (exercise, drill, test), each with keys "
            "of its own.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {name: _message(name) for name in _MESSAGES},
            "schemas": _schemas(),
        },
    }


def _message_on(kind: TopicKind) -> str:
    return next(name for name, (_, _, kinds) in _MESSAGES.items() if kind in kinds)


def _address(kind: TopicKind, tree: Status) -> str:
    build, parameter, sample = CHANNELS[kind]
    if not parameter:
        return build(tree=tree)
    return build(sample, tree=tree).replace(sample, f"{{{parameter}}}")


def _channel(kind: TopicKind, tree: Status) -> dict[str, Any]:
    build, parameter, _ = CHANNELS[kind]
    message = _message_on(kind)
    channel: dict[str, Any] = {
        "address": _address(kind, tree),
        "description": _plain(inspect.getdoc(build) or ""),
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
    }
    if parameter:
        channel["parameters"] = {parameter: {"description": _PARAMETERS[parameter]}}
    return channel


def _operation(channel: str, kind: TopicKind, delivery: Delivery) -> dict[str, Any]:
    binding: dict[str, Any] = {
        "qos": delivery.qos,
        "retain": delivery.retained,
        "bindingVersion": "0.2.0",
    }
    if delivery.expires:
        binding["messageExpiryInterval"] = {
            "type": "integer",
            "minimum": 1,
            "description": "s, from expires_ms of the message.",
        }
    reference = f"#/channels/{channel}"
    return {
        "action": "send" if delivery.from_service else "receive",
        "channel": {"$ref": reference},
        "messages": [{"$ref": f"{reference}/messages/{_message_on(kind)}"}],
        "bindings": {"mqtt": binding},
    }


def _message(name: str) -> dict[str, Any]:
    kind, schema, topics_of = _MESSAGES[name]
    own = {"$ref": f"#/components/schemas/{kind.__name__}"}
    signed = all(DELIVERY[topic].from_service for topic in topics_of)
    sealed = {"$ref": "#/components/schemas/Sealed"}
    return {
        "name": schema,
        "title": _plain(inspect.getdoc(kind) or ""),
        "description": _REMARKS.get(name, "Signed by the service." if signed else ""),
        "contentType": CONTENT_TYPE,
        "headers": _HEADERS,
        "payload": {"allOf": [own, sealed]} if signed else own,
    }


# ---------------------------------------------------------------- payloads


def _schemas() -> dict[str, Any]:
    kinds = [kind for kind, _, _ in _MESSAGES.values()]
    template = "#/components/schemas/{name}"
    _, made = msgspec.json.schema_components(kinds, ref_template=template)
    # parts that are private in the code are not so in the document
    made = {name.lstrip("_"): schema for name, schema in made.items()}
    found = json.loads(json.dumps(made).replace("schemas/_", "schemas/"))
    groups = {
        field.type.__name__: field.type
        for field in msgspec.structs.fields(wire_schema.Alert)
        if field.name in wire_schema.GROUPS
    }
    schemas: dict[str, Any] = {"Sealed": _SEALED}
    for name, schema in sorted(found.items()):
        schemas[name] = _draft7(schema)
        if name in groups:
            for field, item in zip(
                groups[name].__struct_fields__, schemas[name]["items"], strict=True
            ):
                item["title"] = field
    for kind, schema, _ in _MESSAGES.values():
        schemas[kind.__name__]["properties"]["schema"] = {"const": schema}
    schemas["Alert"]["properties"]["simulation"]["const"] = True
    return schemas


def _draft7(value: Any) -> Any:
    """Return a schema in the words of draft 7, with patterns that every language understands."""
    if isinstance(value, list):
        return [_draft7(one) for one in value]
    if not isinstance(value, dict):
        return value
    words = {}
    for name, part in value.items():
        if name == "prefixItems":
            words["items"] = _draft7(part)
        elif name == "pattern" and isinstance(part, str):
            words[name] = re.sub(r"\\Z", "$", part)
        elif name == "description" and isinstance(part, str):
            words[name] = _plain(part)
        else:
            words[name] = _draft7(part)
    return words


def _plain(text: str) -> str:
    """Return the first paragraphs of a docstring on one line, without markup."""
    head = re.split(r"\n\s*(?:Attributes|Parameters|Raises)\n\s*-+\n", text)[0]
    head = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"\1", head)
    return " ".join(head.replace("``", "").split())
