"""The publisher of ``--broker none``: the same topics and payloads, handed over in the process.

No socket, no clock, no task: a run is a pure function of its input and seed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from eew.egress.outbox import Ticket
from eew.egress.plan import AlertPlanner
from eew.egress.receipt import PublishReceipt
from eew.messages import help_wire, wire
from eew.messages.levels import Thresholds
from eew.messages.seal import Signer
from eew.messages.topics import help_area_topic
from eew.model.alert import AlertMessage
from eew.model.place import HelpPack


class LocalPublisher:
    """Does what :class:`eew.egress.mqtt.AlertPublisher` does, without a broker.

    Parameters
    ----------
    deliver : callable
        Called with topic and payload for each message, in the order of sending.
    signer : Signer
        Signs everything; its tree is the one published to.
    now_ns : callable, optional
        Data time for ``sent_ns``; the time of issue by default.
    """

    def __init__(
        self,
        deliver: Callable[[str, bytes], None],
        *,
        run_id: str,
        seed: int,
        signer: Signer,
        now_ns: Callable[[], int] | None = None,
        thresholds: Thresholds | None = None,
    ) -> None:
        self._deliver = deliver
        self._run_id = run_id
        self._seed = seed
        self._signer = signer
        self._now_ns = now_ns
        self._planner = AlertPlanner(thresholds=thresholds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        return None

    async def publish_help(self, pack: HelpPack) -> None:
        """Deliver a help pack."""
        topic = help_area_topic(pack.area, tree=self._signer.tree)
        self._deliver(topic, help_wire.encode(pack, signer=self._signer))

    async def publish_help_packs(self, packs: list[HelpPack]) -> None:
        """Deliver several help packs."""
        for pack in packs:
            await self.publish_help(pack)

    async def publish_alert(self, message: AlertMessage) -> PublishReceipt:
        """Deliver a message."""
        return self.submit(message)

    async def until_taken(self, receipt: PublishReceipt) -> None:
        """Return at once: there is no broker."""

    def submit(self, message: AlertMessage) -> PublishReceipt:
        """Deliver a message. Sent at monotonic 0: nothing is measured here.

        Raises
        ------
        WireError
            If the message may not be encoded.
        """
        sent_ns = self._now_ns() if self._now_ns else message.issued_ns
        payload = wire.encode(
            message,
            run_id=self._run_id,
            seed=self._seed,
            sent_ns=sent_ns,
            signer=self._signer,
        )
        plan = self._planner.plan(message, payload)
        for topic in plan.live:
            self._deliver(topic, payload)
        return PublishReceipt(
            event_id=message.event_id,
            serial=message.serial,
            topics=plan.live,
            payload=payload,
            sent_ns=0,
            ticket=Ticket(0),
        )
