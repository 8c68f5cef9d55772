"""From ``mqtt://host:port/traces`` to a live source of OpenEEW packets."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from eew.app.options import DEFAULT_SEED
from eew.clock import Clock
from eew.egress.broker import mask_password, parse_url
from eew.egress.probe import probe
from eew.errors import ConfigError
from eew.ingest.live import LiveNetwork
from eew.ingest.live_network import live_network
from eew.ingest.openeew_mqtt import MqttTraceSource
from eew.ingest.selection import Selection
from eew.mqtt_link import BrokerAddress
from simulator.seeds import rng

if TYPE_CHECKING:
    from eew.ingest.inventory import Metadata

__all__ = ["DEFAULT_TOPIC", "check_topic", "open_openeew_source", "split_url"]

DEFAULT_TOPIC = "/traces"  # as OpenEEW's own detection listens to
_KEY = "--source"
_EXAMPLE = "for example mqtt://localhost:1883/traces"


def open_openeew_source(
    url: str,
    metadata: Callable[[], Metadata] | None,
    selection: Selection,
    *,
    clock: Clock,
    silent_after_s: float = 30.0,
    seed: int = DEFAULT_SEED,
    environ: Mapping[str, str] | None = None,
) -> MqttTraceSource:
    """Return a source, not yet connected.

    Parameters
    ----------
    url : str
        ``mqtt://[user@]host[:1883]/topic`` or ``mqtts://...``; the topic is ``/traces`` where
        there is none, and may hold ``+`` and (written as ``%23``) ``#``. User and password may
        also come from the environment, as for ``--broker``.
    metadata : callable or None
        Reads the inventory: where the devices stand; called when the source is opened.
    selection : Selection
        Which of its streams are wanted.
    silent_after_s : float
        A station without data for so long is missed.
    seed : int
        For the waits between attempts to connect.

    Raises
    ------
    ConfigError
        If the URL cannot be understood, or there is no inventory.
    """
    address, topic = split_url(url, os.environ if environ is None else environ)
    if metadata is None:
        raise ConfigError(
            "--inventory",
            "needed: OpenEEW packets do not say where their devices stand",
            hint="a StationXML file or a quake folder",
        )

    def network() -> LiveNetwork:
        return live_network(
            metadata(), None, selection, now_ns=clock.utc_ns(), name=mask_password(url)
        )

    return MqttTraceSource(
        address,
        # with and without the slash that OpenEEW begins its topics with
        (topic, topic.removeprefix("/")) if topic != "/" else (topic,),
        network,
        probe=probe,
        clock=clock,
        silent_after_s=silent_after_s,
        rng=rng(seed, "openeew-source", url),
    )


def split_url(url: str, environ: Mapping[str, str]) -> tuple[BrokerAddress, str]:
    """Return the broker's address and the topic of a URL.

    Raises
    ------
    ConfigError
        Naming what is wrong; a password in the URL is masked.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigError(_KEY, f"{mask_password(url)}: {error}", hint=_EXAMPLE) from None
    if parts.query or parts.fragment:
        raise ConfigError(
            _KEY,
            f"{mask_password(url)}: nothing may follow the topic",
            hint=f"{_EXAMPLE}; write # as %23",
        )
    try:
        address = parse_url(urlunsplit((parts.scheme, parts.netloc, "", "", "")), environ)
    except ConfigError as error:
        raise ConfigError(_KEY, error.problem, hint=error.hint or _EXAMPLE) from None
    topic = unquote(parts.path)
    return address, check_topic(_KEY, topic if topic.strip("/") else DEFAULT_TOPIC, wildcards=True)


def check_topic(key: str, topic: str, *, wildcards: bool) -> str:
    """Return ``topic`` if MQTT allows it (OASIS MQTT 5.0, section 4.7).

    Raises
    ------
    ConfigError
        Naming ``key`` and the topic.
    """
    problem = ""
    levels = topic.split("/")
    if not topic or "\0" in topic or len(topic.encode()) > 65_535:
        problem = "must have 1 to 65,535 bytes and no NUL"
    elif not wildcards and ("+" in topic or "#" in topic):
        problem = "a topic to publish to holds no + or #"
    elif any(len(level) > 1 and ("+" in level or "#" in level) for level in levels):
        problem = "+ and # must stand for whole levels"
    elif "#" in levels[:-1]:
        problem = "# must be the last level"
    if problem:
        raise ConfigError(key, f"topic {topic!r}: {problem}")
    return topic
