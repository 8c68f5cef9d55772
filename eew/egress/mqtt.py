"""The publisher: alerts, help packs, keys, status and heartbeat onto one MQTT broker.

The caller hands a message over and goes on. :meth:`AlertPublisher.submit` writes it to the socket
before it returns, as far as the broker lets it; the rest waits in an outbox that holds the newest
state per event, and leaves from the event loop (:mod:`eew.egress.dispatch`). One task keeps the
connection (:mod:`eew.egress.keeper`). A slow or dead broker costs the caller nothing with
:meth:`AlertPublisher.submit`, and at most ``hand_over_s`` with
:meth:`AlertPublisher.publish_alert`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from eew.clock import Clock
from eew.egress import standing
from eew.egress.dispatch import Dispatch
from eew.egress.keeper import LinkKeeper
from eew.egress.link import PublisherLink
from eew.egress.outbox import Ticket
from eew.egress.plan import AlertPlanner, Outgoing
from eew.egress.receipt import PublishReceipt
from eew.errors import PublishError
from eew.messages import wire
from eew.messages.control_wire import Heartbeat, encode_control
from eew.messages.properties import properties_of, traceparent
from eew.messages.seal import Signer
from eew.messages.topics import heartbeat_topic
from eew.model.alert import AlertMessage
from eew.model.place import HelpPack
from eew.mqtt_link import BrokerAddress

__all__ = ["AlertPublisher"]

_HELP_HAND_OVER_S = 10.0
_FAREWELL_S = 2.0
_log = logging.getLogger(__name__)


class AlertPublisher:
    """Publishes for one service; use it as an async context manager.

    Entering connects, or raises; leaving says ``offline`` and ends the connection. A service
    that dies without leaving is called offline by the broker (last will).

    Parameters
    ----------
    address : BrokerAddress
        From :func:`eew.egress.broker.open_broker`.
    service_id : str
        One level of the status topic.
    signer : Signer
        Signs everything; its tree is the one published to.
    run_id, seed : str, int
        Travel in each message; ``seed`` also draws the jitter of the reconnects.
    clock : Clock
        Monotonic time for receipts and expiry.
    now_ns : callable, optional
        Data time for ``sent_ns`` and the heartbeat; UTC of ``clock`` by default, virtual time in
        a replay.
    planner : AlertPlanner, optional
        Says which cells are told.
    heartbeat_s : float or None
        Time between heartbeats; None for no heartbeat (a replay faster than real time).
    hand_over_s : float
        Longest wait in :meth:`publish_alert`.
    capacity : int
        Most copies waiting for the broker.
    key_statements : sequence of bytes
        Signed statements by which a key names the next, oldest first: retained for the devices.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        service_id: str,
        run_id: str,
        seed: int,
        signer: Signer,
        clock: Clock,
        now_ns: Callable[[], int] | None = None,
        planner: AlertPlanner | None = None,
        heartbeat_s: float | None = 1.0,
        hand_over_s: float = 5.0,
        capacity: int = 20_000,
        key_statements: Sequence[bytes] = (),
    ) -> None:
        self._address = address
        self._service_id = service_id
        self._run_id = run_id
        self._seed = seed
        self._signer = signer
        self._clock = clock
        self._now_ns = now_ns or clock.utc_ns
        self._hand_over_s = hand_over_s
        self._planner = planner or AlertPlanner()
        self._beats = 0
        self._dispatch = Dispatch(address, clock, capacity)
        if key_statements:
            self._dispatch.prepare_standing(standing.key_statements(key_statements, signer))
        self._keeper = LinkKeeper(
            address,
            self._dispatch,
            clock,
            seed=seed,
            statuses=self._statuses,
            beat=self._beat,
            heartbeat_s=heartbeat_s,
        )

    @property
    def is_connected(self) -> bool:
        """True while a connection to the broker stands."""
        return self._dispatch.is_connected

    @property
    def n_reconnects(self) -> int:
        """How often a connection was lost and made anew."""
        return self._keeper.n_reconnects

    @property
    def n_waiting(self) -> int:
        """Copies that the broker has not acknowledged yet."""
        return self._dispatch.n_waiting

    @property
    def n_dropped(self) -> int:
        """Copies that never left: expired while waiting, or too many."""
        return self._dispatch.n_dropped

    @property
    def n_refused(self) -> int:
        """Copies that the broker did not want: it allows this user less than it must."""
        return self._dispatch.n_refused

    # ------------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        await self._keeper.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        try:
            if self.is_connected:
                await self._farewell()
        finally:
            await self._keeper.stop()

    async def _farewell(self) -> None:
        """Say offline, and take back from a shared broker what only this run put there."""
        last = [self._status(online=False, at_ns=self._now_ns())]
        if self._address.kind == "remote":
            last += [out.emptied() for out in self._dispatch.retained()]
        try:
            async with asyncio.timeout(_FAREWELL_S):
                for ticket in [self._dispatch.put(out) for out in last]:
                    await ticket.over()
        except TimeoutError:
            _log.warning("%s did not take the farewell", self._address)

    # ------------------------------------------------------------------ hand-over

    async def publish_help(self, pack: HelpPack) -> None:
        """Publish a help pack, retained; a newer one for the same area replaces it.

        Raises
        ------
        PublishError
            If the broker has not taken it within 10 s; it keeps being offered.
        """
        await self.publish_help_packs([pack])

    async def publish_help_packs(self, packs: list[HelpPack]) -> None:
        """Publish several help packs at once; see :meth:`publish_help`."""
        tickets = [
            self._dispatch.put_standing(standing.help_pack(pack, self._signer)) for pack in packs
        ]
        await self._over(tickets, _HELP_HAND_OVER_S, f"{len(packs)} help packs")

    def submit(self, message: AlertMessage) -> PublishReceipt:
        """Hand a message over without waiting for the broker at all.

        Raises
        ------
        WireError
            If the message may not be encoded.
        """
        sent_ns = self._clock.monotonic_ns()
        payload = wire.encode(
            message,
            run_id=self._run_id,
            seed=self._seed,
            sent_ns=self._now_ns(),
            signer=self._signer,
        )
        trace = traceparent(self._run_id, message.event_id, message.serial)
        properties = properties_of(wire.SCHEMA, trace=trace)
        out = self._planner.plan(message, payload, properties)
        ticket = self._dispatch.put_live(out)
        return PublishReceipt(
            event_id=message.event_id,
            serial=message.serial,
            topics=out.live,
            payload=payload,
            sent_ns=sent_ns,
            ticket=ticket,
        )

    async def until_taken(self, receipt: PublishReceipt) -> None:
        """Wait until nothing of a message waits for the broker any more.

        Raises
        ------
        PublishError
            If something does after ``hand_over_s``. The message keeps being offered until it
            expires or a newer one of its event takes its place.
        """
        what = f"{receipt.event_id} serial {receipt.serial}"
        await self._over([receipt.ticket], self._hand_over_s, what)

    async def publish_alert(self, message: AlertMessage) -> PublishReceipt:
        """Hand a message over and wait until the broker has taken every copy.

        Raises
        ------
        PublishError, WireError
            As :meth:`until_taken` and :meth:`submit`.
        """
        receipt = self.submit(message)
        await self.until_taken(receipt)
        return receipt

    async def _over(self, tickets: Sequence[Ticket], timeout_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                for ticket in tickets:
                    await ticket.over()
        except TimeoutError:
            waiting = sum(ticket.n_waiting for ticket in tickets)
            state = "the connection stands" if self.is_connected else "no connection"
            raise PublishError(
                str(self._address),
                f"{what} not taken within {timeout_s:g} s: {waiting} copies wait, {state}",
            ) from None
        dropped = sum(ticket.n_dropped for ticket in tickets)
        refused = sum(ticket.n_refused for ticket in tickets)
        if dropped or refused:
            raise PublishError(
                str(self._address), f"{what}: {dropped} copies dropped, {refused} refused"
            )

    # ------------------------------------------------------------------ what the service says

    def _statuses(self) -> tuple[Outgoing, Outgoing]:
        now_ns = self._now_ns()
        return self._status(online=True, at_ns=now_ns), self._status(online=False, at_ns=now_ns)

    def _status(self, *, online: bool, at_ns: int) -> Outgoing:
        return standing.service_status(self._service_id, self._signer, online=online, at_ns=at_ns)

    def _beat(self, link: PublisherLink) -> None:
        self._beats += 1
        beat = Heartbeat(sequence=self._beats, sent_ns=self._now_ns())
        link.send_passing(
            heartbeat_topic(tree=self._signer.tree),
            encode_control(beat, signer=self._signer),
            standing.HEARTBEAT_PROPERTIES,
        )
