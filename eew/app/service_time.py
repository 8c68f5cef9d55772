"""The time of a service, from its first heartbeat: of a replay it is not that of today."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from eew.clock import Clock
from eew.errors import ConnectError, WireError
from eew.messages.control_wire import decode_heartbeat
from eew.messages.seal import Keyring
from eew.messages.topics import heartbeat_topic
from eew.model.alert import Status
from eew.mqtt_link import BrokerAddress, open_link

__all__ = ["service_lead_ns"]

_PATIENCE_S = 15.0


async def service_lead_ns(
    leaves: Sequence[BrokerAddress],
    keyring: Keyring,
    tree: Status,
    *,
    waiting: Callable[[str], None],
    clock: Clock,
) -> int:
    """Wait for a signed heartbeat; return how far the service's time is ahead of ours, ns.

    Parameters
    ----------
    waiting : callable
        Takes the words that say what is waited for.

    Raises
    ------
    ConnectError
        If the last of the brokers is lost.
    """
    waiting("waits for the first heartbeat of the service, to set its clock by")
    loop = asyncio.get_running_loop()
    worried = loop.call_later(
        _PATIENCE_S,
        waiting,
        "no heartbeat it trusts so far: does eew serve run there, with this seed or these keys, "
        "in this tree?",
    )
    try:
        for address in leaves[:-1]:
            with contextlib.suppress(ConnectError):
                return await _lead_at(address, keyring, tree, clock)
        return await _lead_at(leaves[-1], keyring, tree, clock)
    finally:
        worried.cancel()


async def _lead_at(address: BrokerAddress, keyring: Keyring, tree: Status, clock: Clock) -> int:
    beat = heartbeat_topic(tree=tree)
    async with open_link(address) as link:
        await link.subscribe({beat: 0})
        async for topic, payload in link.messages():
            with contextlib.suppress(WireError):
                keyring.verify(payload, tree)
                # 0: a replay that has not begun
                if topic == beat and (sent_ns := decode_heartbeat(payload).sent_ns) > 0:
                    return sent_ns - clock.utc_ns()
    raise AssertionError("messages() ends with ConnectError only")
