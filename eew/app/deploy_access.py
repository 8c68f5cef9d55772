"""Who may say and hear what: access rules for mosquitto, as data.

Two parts of mosquitto 2.0 decide together, in this order:

1. the dynamic security plugin (``access.json``): it refuses subscriptions in the SUBACK, which
   ``acl_file`` of mosquitto 2.0 does not, and knows accounts by hash rather than by a list;
2. ``acl_file`` (``receipts.acl``): it knows ``%c``, the client's own identifier, which the plugin
   of 2.0 does not. Only what no rule of the plugin decides gets here: receipts.

Everything else is refused: SUBACK and PUBACK say 0x87, a message of QoS 0 is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eew.app.deploy_accounts import PasswordHash, device_account, leaf_account, service_account
from eew.messages.topics import (
    alert_topic,
    area_alert_topic,
    event_current_filter,
    heartbeat_topic,
    help_topic,
    keys_topic,
    status_filter,
    tree_prefix,
)
from eew.model.alert import Status

__all__ = [
    "access_document",
    "device_clients",
    "feed_filters",
    "leaf_clients",
    "receipt_filter",
    "receipts_acl",
    "service_clients",
]

TREES = tuple(Status)
_ALLOW_FIRST, _DENY_LAST = 10, 0  # a higher priority is asked first


def feed_filters(tree: Status) -> tuple[str, ...]:
    """Return what a service publishes in a tree, as filters: what flows from hub to leaf."""
    prefix = tree_prefix(tree)
    return (
        alert_topic(tree=tree),
        f"{prefix}/area/+/alert",
        event_current_filter(tree=tree),
        f"{prefix}/help/+",
        f"{prefix}/help/country/+",
        keys_topic(tree=tree),
        status_filter(tree=tree),
        heartbeat_topic(tree=tree),
    )


def receipt_filter(tree: Status) -> str:
    """Return the filter for the receipts of a tree: what flows from leaf to hub."""
    return f"{tree_prefix(tree)}/client/+/ack"


def receipts_acl() -> str:
    """Return the ``acl_file``: a receipt under the client's own identifier, nothing else."""
    lines = [f"pattern write {tree_prefix(tree)}/client/%c/ack" for tree in TREES]
    return "\n".join(["# Read after access.json; what neither allows is refused.", *lines, ""])


def access_document(
    roles: Iterable[dict[str, Any]], clients: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """Return the configuration of the dynamic security plugin."""
    return {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": list(clients),
        "groups": [],
        "roles": list(roles),
    }


Hashes = dict[str, PasswordHash]  # by account; empty where certificates take their place
Rows = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def service_clients(hashes: Hashes) -> Rows:
    """Return roles and clients of the services, one per tree."""
    roles, clients = [], []
    for tree in TREES:
        feed = feed_filters(tree)
        rules = [*_hears((*feed, receipt_filter(tree))), *_says(feed)]
        # acl_file would let it send a receipt under its own identifier
        rules += _silent(receipt_filter(one) for one in TREES)
        roles.append(_role(service_account(tree), rules, last=True))
        clients.append(_client(service_account(tree), [service_account(tree)], hashes))
    return roles, clients


def device_clients(cells: Iterable[str], hashes: Hashes) -> Rows:
    """Return roles and clients of the devices: one account for each tree and area."""
    roles, clients = [], []
    for tree in TREES:
        others = [receipt_filter(one) for one in TREES if one is not tree]
        common = (
            alert_topic(tree=tree),
            event_current_filter(tree=tree),
            f"{tree_prefix(tree)}/help/country/+",
            keys_topic(tree=tree),
            status_filter(tree=tree),
            heartbeat_topic(tree=tree),
        )
        shared = f"device-{tree.value}"
        roles.append(_role(shared, [*_hears(common), *_silent(others)], last=True))
        for cell in cells:
            account = device_account(tree, cell)
            own = (area_alert_topic(cell, tree=tree), help_topic(cell, tree=tree))
            roles.append(_role(account, _hears(own), last=False))
            clients.append(_client(account, [account, shared], hashes))
    return roles, clients


def leaf_clients(n_leaves: int, hashes: Hashes) -> Rows:
    """Return roles and clients of the leaves on a hub: they hear the feed and bring receipts."""
    feed = [name for tree in TREES for name in feed_filters(tree)]
    receipts = [receipt_filter(tree) for tree in TREES]
    accounts = [leaf_account(number) for number in range(1, n_leaves + 1)]
    if not accounts:
        return [], []
    role = _role("leaf", [*_hears(feed), *_says(receipts)], last=True)
    return [role], [_client(account, ["leaf"], hashes) for account in accounts]


def _role(name: str, rules: list[dict[str, Any]], *, last: bool) -> dict[str, Any]:
    """Return a role; ``last`` ends the search: whatever was not allowed so far is refused."""
    refused = ("#", "$SYS/#", "$CONTROL/#", "$share/#") if last else ()
    denials = [_rule("subscribePattern", topic, allow=False) for topic in refused]
    return {"rolename": name, "acls": [*rules, *denials]}


def _client(account: str, roles: list[str], hashes: Hashes) -> dict[str, Any]:
    ranked = [
        {"rolename": role, "priority": len(roles) - place} for place, role in enumerate(roles)
    ]
    made: dict[str, Any] = {"username": account, "roles": ranked}
    if (kept := hashes.get(account)) is not None:
        made |= {"password": kept.digest, "salt": kept.salt, "iterations": kept.iterations}
    return made


def _hears(filters: Iterable[str]) -> list[dict[str, Any]]:
    rules = []
    for name in filters:
        # literal where there is only one way to ask: event/+/current, but not event/x/current
        pattern = name.endswith("+") or "/area/+" in name or "/client/+" in name
        rules.append(_rule("subscribePattern" if pattern else "subscribeLiteral", name))
        rules.append(_rule("publishClientReceive", name))
    return rules


def _says(filters: Iterable[str]) -> list[dict[str, Any]]:
    return [_rule("publishClientSend", name) for name in filters]


def _silent(filters: Iterable[str]) -> list[dict[str, Any]]:
    return [_rule("publishClientSend", name, allow=False) for name in filters]


def _rule(kind: str, topic: str, *, allow: bool = True) -> dict[str, Any]:
    priority = _ALLOW_FIRST if allow or kind == "publishClientSend" else _DENY_LAST
    return {"acltype": kind, "topic": topic, "priority": priority, "allow": allow}
