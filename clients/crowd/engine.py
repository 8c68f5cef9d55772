"""Tens of thousands of MQTT connections in one thread: epoll, plain sockets, state in arrays.

A delivery costs a ``recv``, a look at the clock, and one look-up of its bytes; what it means for
the devices is worked out for a whole round of epoll at once. A broker's view is that of as many
phones: connect, subscribe, read what is retained, leave what is for joining only, acknowledge,
ping, and come back by backoff with full jitter. Each of these has a module of its own; here is the
round that ties them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from types import TracebackType
from typing import Self

import numpy as np

from clients.crowd.accounts import CrowdAccounts
from clients.crowd.connections import READABLE, UP
from clients.crowd.deliveries import Batch, Deliveries
from clients.crowd.frames import UNKNOWN, FrameBook
from clients.crowd.handshake import ConnectPacket, Join
from clients.crowd.interface import DeviceLogic
from clients.crowd.lifecycle import CHUNK, Lifecycle
from clients.crowd.settings import EngineSettings
from clients.crowd.sockets import Endpoint, Identities, SocketFactory
from eew import mqtt_packets as mqtt
from eew.clock import NS_PER_S, Clock

__all__ = ["Batch", "Engine", "EngineSettings"]

_EVENTS = 512  # taken from epoll at once; the logic then works on as many


class Engine:
    """The connections of the devices of one logic.

    Parameters
    ----------
    endpoint : Endpoint or sequence of Endpoint
        A broker, or leaves that hold the same: a device stays with one until that is lost.
    rng : numpy.random.Generator
        Draws the order in which devices try several brokers, the jitter of reconnects and pings.
    token : bytes
        Chance that no other start has: names of connections and receipts are made from it.
    follow_heartbeat : collection of int
        Devices that do not leave the topic of the heartbeat after joining.
    patient : collection of int
        Devices that sleep for long with their connection open: a long keepalive, and a session
        that the broker keeps for them.
    accounts : CrowdAccounts, optional
        As whom each device connects; all as the endpoint says by default.
    named : bool
        Devices connect under the name under which they send receipts.
    intern : callable, optional
        Stands before the logic's own; sees every distinct message.
    on_batch : callable, optional
        Told of the deliveries of each round.
    """

    def __init__(
        self,
        logic: DeviceLogic,
        endpoint: Endpoint | Sequence[Endpoint],
        *,
        clock: Clock,
        rng: np.random.Generator,
        token: bytes,
        settings: EngineSettings | None = None,
        follow_heartbeat: Collection[int] = (),
        patient: Collection[int] = (),
        accounts: CrowdAccounts | None = None,
        named: bool = False,
        intern: Callable[[bytes, bytes], int] | None = None,
        on_batch: Callable[[Batch], None] | None = None,
    ) -> None:
        self.logic = logic
        endpoints = (endpoint,) if isinstance(endpoint, Endpoint) else tuple(endpoint)
        self.endpoint = endpoint = endpoints[0]  # they all speak the same
        accounts = accounts or CrowdAccounts.same(endpoint.account, logic.n)
        self.settings = settings = settings or EngineSettings()
        self._now_ns = clock.monotonic_ns
        self._awake_ns = round(settings.awake_s * NS_PER_S)
        self._identities = Identities(token)
        self._book = FrameBook(intern or logic.intern, endpoint.version)
        self._got = Deliveries(logic, settings, clock, on_batch)
        self._life = Lifecycle(
            logic.n,
            endpoint,
            SocketFactory(endpoints, accounts, rng),
            ConnectPacket(
                endpoint.version, accounts, self._identities, settings, patient, named=named
            ),
            Join(logic, endpoint.version, follow_heartbeat),
            self._book,
            self._got,
            settings=settings,
            rng=rng,
            now_ns=self._now_ns,
        )
        self._connections = self._life.connections

    @property
    def counts(self) -> Counter[str]:
        """What happened so far, by name.

        ``connects``, ``connect_failures``, ``lost`` (connections), ``refused_subscriptions``,
        ``malformed``, ``reads``, ``deliveries``.
        """
        return self._life.counts

    @property
    def last_failure(self) -> str:
        """Why the last connection was not made or was lost."""
        return self._life.last_failure

    @property
    def n_up(self) -> int:
        """How many devices are connected and subscribed."""
        return self._connections.n_up

    @property
    def n_settling(self) -> int:
        """How many devices do not listen to everything yet."""
        return self._life.settling.n_waiting

    @property
    def n_checking_clocks(self) -> int:
        """How many devices listen to the heartbeat for a while, to check their clock."""
        return self._life.settling.n_checking_clocks

    # ------------------------------------------------------------------ for the owner

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def connect(self, devices: Iterable[int]) -> None:
        """Begin to connect devices that are off, in order."""
        for device in devices:
            self._life.attempts.want(device)

    def is_up(self, device: int) -> bool:
        """Tell whether a device is connected and subscribed."""
        return self._connections.phase[device] == UP

    def switch_off(self, device: int, *, farewell: bool) -> None:
        """Take a device off the network; it stays away until :meth:`connect`.

        ``farewell`` False is a battery that died: no DISCONNECT, as far as the kernel lets us.
        """
        self._life.attempts.give_up(device)
        if farewell:
            self._connections.say(device, mqtt.disconnect())
        self._life.drop(device)

    def set_radio(self, device: int, *, on: bool) -> None:
        """Stop or go on reading: a phone whose system keeps its radio off keeps its connection."""
        self._connections.set_radio(device, on=on)

    def publish(self, device: int, topic: str, payload: bytes) -> bool:
        """Publish with QoS 0 as a device; False, and nothing happens, while it is not there."""
        if not self.is_reachable(device):
            return False
        packet = mqtt.publish(topic, payload, version=self.endpoint.version)
        self._connections.send(device, packet)
        return True

    def is_reachable(self, device: int) -> bool:
        """Tell whether a device is connected and subscribed, and its radio on."""
        return self.is_up(device) and not self._connections.deaf[device]

    def resubscribe(self, device: int, leave: Sequence[str], join: Sequence[str]) -> None:
        """Join topics and leave others: a device that has moved, and can be reached."""
        if join:
            self._life.rejoin(device, leave, join)

    def identity(self, device: int, purpose: str) -> str:
        """Return a name for a device that nobody can follow to the next start."""
        return self._identities.of(device, purpose)

    def close(self) -> None:
        """Say goodbye on every connection and close it."""
        for device in range(self.logic.n):
            self.switch_off(device, farewell=True)
        self._connections.epoll.close()

    # ------------------------------------------------------------------ one round

    def poll(self, timeout_s: float) -> int:
        """Wait for something to happen, at most ``timeout_s``.

        Returns
        -------
        int
            How many deliveries were handed to the logic.
        """
        life, connections, got = self._life, self._connections, self._got
        life.begin_due()
        events = self._wait(timeout_s)
        sockets, device_of, phase = connections.socket, connections.device, connections.phase
        now_ns, rest, find = self._now_ns, life.reader.rest, self._book.find
        add_device, add_code, add_ns = got.device.append, got.code.append, got.at_ns.append
        acknowledge = life.acks.add
        plain = not self.endpoint.tls
        for fd, mask in events:
            device = device_of[fd]
            if phase[device] != UP or mask != READABLE or not plain:
                life.serve(device, fd, mask)
                continue
            try:
                chunk = sockets[fd].recv(CHUNK)  # type: ignore[union-attr]  # UP has a socket
            except BlockingIOError:
                continue
            except OSError as error:
                life.lose(device, error.strerror or str(error))
                continue
            at_ns = now_ns()
            code, packet_id = find(chunk) if chunk else (UNKNOWN, b"")
            if code >= 0 and device not in rest:
                add_device(device)
                add_code(code)
                add_ns(at_ns)
                if packet_id:
                    acknowledge(device, packet_id)
            else:
                life.take(device, chunk, at_ns)
        self.counts["reads"] += len(events)
        came = self._hand_over() if got.are_due(quiet=not events) else 0
        life.turn(now_ns(), quiet=not events and not came)
        return came

    def _hand_over(self) -> int:
        n = self._got.hand_over()
        self.counts["deliveries"] += n
        return n

    def _wait(self, timeout_s: float) -> list[tuple[int, int]]:
        """Wait for events; inside a burst without sleeping, for a while."""
        wait = self._connections.epoll.poll
        if self._got or self._life.acks:
            awake_ns = self._now_ns() + self._awake_ns
            while self._now_ns() < awake_ns:
                if events := wait(0, _EVENTS):
                    return events
        return wait(self._patience_s(timeout_s), _EVENTS)

    def _patience_s(self, timeout_s: float) -> float:
        """Return how long epoll may wait: until the next thing that is due by the clock."""
        if self._got:
            timeout_s = min(timeout_s, self.settings.gather_quiet_s)
        elif self._life.acks:
            timeout_s = min(timeout_s, self.settings.ack_quiet_s)
        return self._life.patience_s(timeout_s)
