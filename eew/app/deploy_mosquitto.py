"""``mosquitto.conf`` of one broker, as text. Paths are relative to the broker's own folder."""

from __future__ import annotations

from collections.abc import Sequence

from eew.app.deploy_access import TREES, feed_filters, receipt_filter
from eew.app.deploy_plan import Broker
from eew.messages.topics import heartbeat_topic

__all__ = ["bridge", "broker_configuration"]

# Reasons: docs/decisions/0004-brokers.md and 0049-broker-security.md.
_SETTINGS = {
    "persistence": "false",
    "allow_anonymous": "false",
    "allow_duplicate_messages": "true",
    "set_tcp_nodelay": "true",
    "connection_messages": "false",
    "max_inflight_messages": "100",
    "max_queued_messages": "1000",
    # far above any help pack; a stolen account could send 256 MB to whoever listens
    "message_size_limit": "4194304",
    "sys_interval": "0",
    "log_dest": "stderr",
}
_LOG_TYPES = ("error", "warning", "notice")


def broker_configuration(
    broker: Broker, *, certificates: bool, plugin: str, user: str, bridges: Sequence[str] = ()
) -> str:
    """Return the text for a broker.

    Parameters
    ----------
    certificates : bool
        Clients prove who they are by certificate instead of a password.
    plugin : str
        Where mosquitto's dynamic security plugin lies.
    user : str
        Whom mosquitto becomes if it is started by root: the files' owner.
    bridges : sequence of str
        From :func:`bridge`, for a leaf.
    """
    lines = [
        f"# SIMULATION. {broker.name}: written by eew deploy mosquitto.",
        "# Start it in this folder: mosquitto -c mosquitto.conf",
        *(f"{name} {value}" for name, value in _SETTINGS.items()),
        *(f"log_type {one}" for one in _LOG_TYPES),
        f"user {user}",
        "",
        "# who may do what: first access.json, then receipts.acl",
        f"plugin {plugin}",
        "plugin_opt_config_file access.json",
        "acl_file receipts.acl",
        "",
        f"listener {broker.port}",
        "certfile server.crt",
        "keyfile server.key",
        "tls_version tlsv1.2",
    ]
    if certificates:
        lines += ["cafile ca.crt", "require_certificate true", "use_identity_as_username true"]
    return "\n".join([*lines, *bridges, ""])


def bridge(hub: Broker, *, account: str, password: str | None, local_id: str) -> str:
    """Return the part of a leaf's configuration that has it fed from a hub.

    ``password`` is None where a certificate takes its place. ``local_id`` must not be guessable:
    a device that connects under it would end the feed. A lost hub is tried again after 1 to 5 s;
    one that no longer answers is given up after 5 s without a word.
    """
    own = ["bridge_certfile bridge.crt", "bridge_keyfile bridge.key"]
    if password is not None:
        own = [f"remote_username {account}", f"remote_password {password}"]
    topics = []
    for tree in TREES:
        beat = heartbeat_topic(tree=tree)
        topics += [f"topic {name} in {0 if name == beat else 1}" for name in feed_filters(tree)]
        topics.append(f"topic {receipt_filter(tree)} out 0")
    return "\n".join(
        [
            "",
            f"connection {hub.name}",
            f"address {hub.host}:{hub.port}",
            "bridge_protocol_version mqttv50",
            "bridge_cafile ca.crt",
            f"remote_clientid {account}",
            f"local_clientid {local_id}",
            *own,
            "cleansession true",
            "notifications false",
            "restart_timeout 1 5",
            "keepalive_interval 5",
            *topics,
        ]
    )
