"""The topic trees: one builder per topic, one parser for all.

=============================== ======== === ================================================
topic                           retained QoS content
=============================== ======== === ================================================
``alert``                       no       1   the national topic: every message, in order
``area/{cell}/alert``           no       1   the same message, for the cells it concerns
``event/{event_id}/current``    expiring 1   newest message of an event, also its last
``help/{cell}``                 yes      1   shelters and numbers of a cell, before any quake
``help/country/{XX}``           yes      1   national numbers and rescue text
``keys``                        yes      1   which keys follow those a device holds
``status/{service_id}``         yes      1   online or offline (last will)
``heartbeat``                   no       0   time and sequence, every second
``client/{id}/ack``             no       0   what a device received and showed, never where
=============================== ======== === ================================================

Exercises stand under ``eew/v1``, drills under ``eew/v1/drill`` and tests under ``eew/v1/test``: a
tree for each status, so that none is taken for another. Old alerts must never fire again: a
retained message carries an expiry for the broker, and the device checks the time itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from eew.errors import WireError
from eew.messages.cells import cell_of, cells_to_tell, is_cell
from eew.model.alert import Status
from eew.tables import load_table

__all__ = [
    "ID_PATTERN",
    "PREFIX",
    "ParsedTopic",
    "TopicKind",
    "ack_topic",
    "alert_topic",
    "area_alert_topic",
    "cell_of",
    "cells_to_tell",
    "event_current_filter",
    "event_current_topic",
    "heartbeat_topic",
    "help_area_topic",
    "help_country_topic",
    "help_topic",
    "keys_topic",
    "parse_topic",
    "status_filter",
    "status_topic",
    "tree_prefix",
]

PREFIX: str = load_table("topics")["prefix"]

# An id becomes one level of a topic: no separator, no wildcard, nothing invisible.
ID_PATTERN = r"^[A-Za-z0-9._:-]{1,64}\Z"  # "$" would let a line feed pass
_ID = re.compile(ID_PATTERN)
_COUNTRY = re.compile(r"^[A-Z]{2}\Z")
_COUNTRY_AREA = "country:"
_APART = {tree.value: tree for tree in Status if tree is not Status.EXERCISE}


class TopicKind(Enum):
    """What a topic carries."""

    ALERT = "alert"
    EVENT_CURRENT = "event_current"
    AREA_ALERT = "area_alert"
    HELP_CELL = "help_cell"
    HELP_COUNTRY = "help_country"
    KEYS = "keys"
    STATUS = "status"
    HEARTBEAT = "heartbeat"
    ACK = "ack"


@dataclass(frozen=True, slots=True)
class ParsedTopic:
    """Kind of a topic, and its event id, cell, country, service or client; empty where none."""

    kind: TopicKind
    key: str = ""
    tree: Status = Status.EXERCISE


def tree_prefix(tree: Status) -> str:
    """Return what the topics of a tree begin with, without a last slash."""
    return PREFIX if tree is Status.EXERCISE else f"{PREFIX}/{tree.value}"


def alert_topic(*, tree: Status = Status.EXERCISE) -> str:
    """Topic of every message, for services and recorders."""
    return f"{tree_prefix(tree)}/alert"


def event_current_topic(event_id: str, *, tree: Status = Status.EXERCISE) -> str:
    """Topic of the newest message of one event."""
    return f"{tree_prefix(tree)}/event/{_checked_id('event_id', event_id)}/current"


def event_current_filter(*, tree: Status = Status.EXERCISE) -> str:
    """Filter for the newest message of every event, for those who join late."""
    return f"{tree_prefix(tree)}/event/+/current"


def area_alert_topic(cell: str, *, tree: Status = Status.EXERCISE) -> str:
    """Topic of the messages that concern one cell."""
    return f"{tree_prefix(tree)}/area/{_checked_cell(cell)}/alert"


def help_topic(cell: str, *, tree: Status = Status.EXERCISE) -> str:
    """Topic of the help pack of one cell."""
    return f"{tree_prefix(tree)}/help/{_checked_cell(cell)}"


def help_country_topic(country: str, *, tree: Status = Status.EXERCISE) -> str:
    """Topic of the help pack of one country (ISO 3166-1 alpha-2, upper case)."""
    if not _COUNTRY.match(country):
        raise WireError(f"country must be two capital letters, was {country!r}")
    return f"{tree_prefix(tree)}/help/country/{country}"


def help_area_topic(area: str, *, tree: Status = Status.EXERCISE) -> str:
    """Topic of a help pack by its ``area``: an H3 cell or ``country:XX``."""
    if area.startswith(_COUNTRY_AREA):
        return help_country_topic(area.removeprefix(_COUNTRY_AREA), tree=tree)
    return help_topic(area, tree=tree)


def keys_topic(*, tree: Status = Status.EXERCISE) -> str:
    """Topic of the statements by which one key names the next."""
    return f"{tree_prefix(tree)}/keys"


def status_topic(service_id: str, *, tree: Status = Status.EXERCISE) -> str:
    """Topic on which a service says whether it is online."""
    return f"{tree_prefix(tree)}/status/{_checked_id('service_id', service_id)}"


def status_filter(*, tree: Status = Status.EXERCISE) -> str:
    """Filter for the status of every service, for subscribers."""
    return f"{tree_prefix(tree)}/status/+"


def heartbeat_topic(*, tree: Status = Status.EXERCISE) -> str:
    """Topic of the service's time and sequence number."""
    return f"{tree_prefix(tree)}/heartbeat"


def ack_topic(client_id: str, *, tree: Status = Status.EXERCISE) -> str:
    """Topic on which a device says what it received and showed."""
    return f"{tree_prefix(tree)}/client/{_checked_id('client_id', client_id)}/ack"


@lru_cache(maxsize=4096)
def parse_topic(topic: str) -> ParsedTopic:
    """Turn a topic into its kind, key and tree; the inverse of the builders.

    Raises
    ------
    WireError
        If it is none of ours; the topic found is named.
    """
    if not topic.startswith(PREFIX + "/"):
        raise WireError(f"topic does not begin with {PREFIX}/: {topic!r}")
    levels = topic.removeprefix(PREFIX + "/").split("/")
    tree = _APART.get(levels[0], Status.EXERCISE)
    match levels if tree is Status.EXERCISE else levels[1:]:
        case ["alert"]:
            return ParsedTopic(TopicKind.ALERT, tree=tree)
        case ["heartbeat"]:
            return ParsedTopic(TopicKind.HEARTBEAT, tree=tree)
        case ["keys"]:
            return ParsedTopic(TopicKind.KEYS, tree=tree)
        case ["event", event_id, "current"] if _ID.match(event_id):
            return ParsedTopic(TopicKind.EVENT_CURRENT, event_id, tree)
        case ["area", cell, "alert"] if is_cell(cell):
            return ParsedTopic(TopicKind.AREA_ALERT, cell, tree)
        case ["help", "country", country] if _COUNTRY.match(country):
            return ParsedTopic(TopicKind.HELP_COUNTRY, country, tree)
        case ["help", cell] if is_cell(cell):
            return ParsedTopic(TopicKind.HELP_CELL, cell, tree)
        case ["status", service_id] if _ID.match(service_id):
            return ParsedTopic(TopicKind.STATUS, service_id, tree)
        case ["client", client_id, "ack"] if _ID.match(client_id):
            return ParsedTopic(TopicKind.ACK, client_id, tree)
        case _:
            raise WireError(f"unknown topic: {topic!r}")


def _checked_id(name: str, value: str) -> str:
    if not _ID.match(value):
        raise WireError(f"{name} must match {ID_PATTERN}, was {value!r}")
    return value


def _checked_cell(cell: str) -> str:
    if not is_cell(cell):
        raise WireError(f"not an H3 cell of the topic tree's resolution: {cell!r}")
    return cell
