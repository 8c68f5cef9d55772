"""The life of each connection: attempt, TLS, CONNECT, SUBSCRIBE, settled, and how it ends.

What each step does has a module of its own; here is which follows which. Nothing here is in the
way of a delivery on a plain connection that stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from clients.crowd.acknowledging import Acknowledgements
from clients.crowd.attempts import Attempts
from clients.crowd.connections import GONE, GREETING, JOINING, READABLE, UP, WRITABLE, Connections
from clients.crowd.deliveries import Deliveries
from clients.crowd.frames import FrameBook
from clients.crowd.handshake import ConnectPacket, Join, connack_problem, suback_problem
from clients.crowd.keepalive import Keepalive
from clients.crowd.opening import Opening
from clients.crowd.reading import Reader
from clients.crowd.settings import EngineSettings
from clients.crowd.settling import Settling
from clients.crowd.sockets import Endpoint, SocketFactory
from eew import mqtt_packets as mqtt
from eew.errors import WireError

__all__ = ["CHUNK", "Lifecycle"]

CHUNK = 8192  # bytes read at once


class Lifecycle:
    """Leads connections from one step to the next.

    Parameters
    ----------
    sockets : SocketFactory
        Makes the connections.
    packet, join : ConnectPacket, Join
        What the devices say on connecting, and what they subscribe to.
    book : FrameBook
        Reads PUBLISH packets.
    deliveries : Deliveries
        Where they go.
    rng : numpy.random.Generator
        Draws the jitter of reconnects and pings.
    now_ns : callable
        Monotonic time.

    Attributes
    ----------
    connections, attempts, acks, reader, settling
        The parts that the owner uses too.
    counts : Counter
        ``connects``, ``connect_failures``, ``lost``, ``refused_subscriptions``, ``malformed``.
    last_failure : str
        Why the last connection was not made or was lost.
    """

    def __init__(
        self,
        n: int,
        endpoint: Endpoint,
        sockets: SocketFactory,
        packet: ConnectPacket,
        join: Join,
        book: FrameBook,
        deliveries: Deliveries,
        *,
        settings: EngineSettings,
        rng: np.random.Generator,
        now_ns: Callable[[], int],
    ) -> None:
        self._endpoint, self._join = endpoint, join
        self._settings, self._now_ns = settings, now_ns
        self.counts: Counter[str] = Counter()
        self.last_failure = ""
        self._sockets = sockets
        self.connections = Connections(n, self.lose)
        self.attempts = Attempts(self.connections.phase, settings, rng, now_ns)
        self.acks = Acknowledgements(settings, now_ns, self.connections.send)
        self.reader = Reader(book, deliveries, self.acks)
        self.settling = Settling(join, settings, self.connections.say)
        self._opening = Opening(self.connections, sockets, packet, tls=endpoint.tls)
        self._keepalive = Keepalive(self.connections, settings, rng, self.lose)

    # ------------------------------------------------------------------ by the clock

    def begin_due(self) -> None:
        """Begin to connect as many as may connect now."""
        for device in self.attempts.due():
            try:
                self._opening.begin(device)
            except OSError as error:
                self.lose(device, error.strerror or str(error))
            else:
                self.attempts.begin(device)

    def turn(self, now_ns: int, *, quiet: bool) -> None:
        """Do what is due at a monotonic time; ``quiet`` says that nothing has come."""
        self.acks.turn(now_ns, quiet=quiet)
        self.attempts.revive(now_ns)
        self.settling.turn(now_ns, joining=self.attempts.n_in_flight > 0)
        for device in self.attempts.overdue(now_ns):
            self.lose(device, f"no answer within {self._settings.connect_timeout_s:g} s")
        self._keepalive.turn(now_ns)

    def patience_s(self, timeout_s: float) -> float:
        """Return how long may be waited, at most ``timeout_s``, before something is due."""
        now_ns = self._now_ns()
        timeout_s = self.attempts.patience_s(timeout_s, now_ns)
        return max(0.0, self.settling.patience_s(timeout_s, now_ns))

    # ------------------------------------------------------------------ by the network

    def serve(self, device: int, fd: int, mask: int) -> None:
        """Do whatever is not a delivery on a plain connection that stands."""
        try:
            if self._opening.go_on(device):
                return
            if mask & WRITABLE:
                self.connections.send(device, b"")
            if mask & READABLE:
                self._read_all(device, fd)
            elif mask & GONE:
                self.lose(device, "the connection was reset")
        except OSError as error:
            self.lose(device, error.strerror or str(error))

    def _read_all(self, device: int, fd: int) -> None:
        """Read until there is no more: inside TLS there may be data epoll knows nothing of."""
        while self.connections.owns(device, fd):
            try:
                chunk = self.connections.of(device).recv(CHUNK)
            except BlockingIOError:
                return
            self.take(device, chunk, self._now_ns())
            if not self._endpoint.tls:
                return

    def take(self, device: int, chunk: bytes, at_ns: int) -> None:
        """Take bytes that are not exactly one known PUBLISH."""
        if not chunk:
            self.lose(device, "closed by the broker")
            return
        try:
            for frame, body in self.reader.take(device, chunk, at_ns):
                self._control(device, frame, body)
        except WireError as error:
            self.counts["malformed"] += 1
            self.lose(device, str(error))

    def _control(self, device: int, frame: mqtt.Frame, body: bytes) -> None:
        version = self._endpoint.version
        phase = self.connections.phase[device]
        if frame.kind == mqtt.PINGRESP:
            self._keepalive.answered(device)
        elif frame.kind == mqtt.CONNACK and phase == GREETING:
            problem = connack_problem(body, version=version)
            if problem:
                self.lose(device, problem)
                return
            self.connections.phase[device] = JOINING
            self.connections.send(device, self._join.first(device))
        elif frame.kind == mqtt.SUBACK:
            problem = suback_problem(body, version=version)
            if problem:
                self.counts["refused_subscriptions"] += 1
                self.lose(device, problem)
            elif phase == JOINING:
                self._arrive(device)
        elif frame.kind == mqtt.DISCONNECT:
            self.lose(device, "sent away by the broker")

    def rejoin(self, device: int, leave: Sequence[str], join: Sequence[str]) -> None:
        """Have a device that has moved listen elsewhere; first the new: nothing falls between."""
        self.connections.say(device, self._join.anew(join))
        self.connections.say(device, self._join.leave(leave))
        self.settling.begin_again(device, self._now_ns())

    def _arrive(self, device: int) -> None:
        now_ns = self._now_ns()
        self.attempts.succeed(device)
        self.counts["connects"] += 1
        self._keepalive.begin(device, now_ns)
        self.settling.begin(device, now_ns)
        self.connections.rise(device)

    # ------------------------------------------------------------------ endings

    def drop(self, device: int) -> None:
        """Close the connection of a device, and forget what belonged to it."""
        if self.connections.close(device):
            self._keepalive.end(device)
            self.attempts.end(device)
            self.reader.forget(device)
            self.acks.forget(device)

    def lose(self, device: int, problem: str) -> None:
        """Note that a connection ended, or was not made, against our will."""
        was_up = self.connections.phase[device] == UP
        self.counts["lost" if was_up else "connect_failures"] += 1
        self.drop(device)
        self.last_failure = problem
        if self.attempts.again(device):
            self._sockets.go_on(device)
