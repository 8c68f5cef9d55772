"""Tens of thousands of devices as rows of arrays: sans-I/O, the same rules as one device.

It equals ``clients.device.Device`` outcome by outcome and screen by screen (see
tests/property/test_crowd_equals_device.py); it differs in that a message is checked, read and
worked out once for all of them, and that a delivery is a number among thousands in an array.

It will not: read a clock, open a socket, draw a number, or decide when it is called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from clients.crowd.admission import ADMITTED, Admission
from clients.crowd.alerts import CrowdAlerts
from clients.crowd.estimates import CrowdEstimator
from clients.crowd.link import CrowdLink
from clients.crowd.messages import (
    Alert,
    Beat,
    Help,
    Keys,
    Message,
    MessageTable,
    Nothing,
    Refused,
    Word,
)
from clients.crowd.outcome import Outcome
from clients.crowd.packs import CrowdPacks
from clients.crowd.places import CrowdPlaces
from clients.crowd.slots import Ints, Rows
from clients.events import CuePlayed
from clients.help_book import HelpBook
from clients.incident import Incident
from clients.policy import DevicePolicy, policy
from clients.presentation import Presentation, present
from clients.screen import cue_for, is_on, layout_of, link_notes, n_others, ruling_of, viewer_of
from eew.messages.seal import Keyring
from eew.messages.topics import (
    area_alert_topic,
    cell_of,
    event_current_filter,
    heartbeat_topic,
    help_country_topic,
    help_topic,
    keys_topic,
    status_filter,
)
from eew.model.place import Site

__all__ = ["CrowdLogic"]


class CrowdLogic:
    """The devices of one process.

    Parameters
    ----------
    places : CrowdPlaces
        Who and where they are.
    keyring : Keyring, optional
        Whose signatures count; without any they believe nobody. It is shared by all of them: a
        key that one was handed on is known to the others.
    gazetteer : tuple of Site
        Known places, to say where a quake is.
    rules : DevicePolicy, optional
        The built-in policy by default.
    follow_heartbeat : bool
        False without a broker, and in a replay faster than real time.

    Attributes
    ----------
    n : int
        How many devices.
    """

    def __init__(
        self,
        places: CrowdPlaces,
        keyring: Keyring | None = None,
        *,
        gazetteer: tuple[Site, ...] = (),
        rules: DevicePolicy | None = None,
        follow_heartbeat: bool = True,
    ) -> None:
        self.n = len(places)
        self._places = places
        self._gazetteer = gazetteer
        self._rules = rules or policy()
        for name in places.profile.words:
            self._rules.profile(name)  # an unknown one is refused before anything begins
        self._all: Rows = np.arange(self.n, dtype=np.int32)
        self._clock_offset_ns = places.clock_offset_ns
        cells = [
            cell_of(lat, lon)
            for lat, lon in zip(places.lat.tolist(), places.lon.tolist(), strict=True)
        ]
        self._cell = np.array([int(cell, 16) for cell in cells], dtype=np.int64)
        countries = [places.country[device] for device in range(self.n)]
        self._estimator = CrowdEstimator(places.lat, places.lon, places.vs30_mps)
        self._link = CrowdLink(self.n, self._rules, follow_heartbeat=follow_heartbeat)
        self._packs = CrowdPacks(cells, countries)
        self._counts: Counter[str] = Counter()
        self._alerts = CrowdAlerts(self.n, self._rules, self._estimator, self._link, self._counts)
        ring = keyring if keyring is not None else Keyring()
        self._messages = MessageTable(ring, self._held)
        self._admission = Admission(places, ring, self._link.clock, self._counts)

    # ------------------------------------------------------------------ what they listen to

    def subscriptions(self, device: int) -> tuple[tuple[str, int], ...]:
        """Return the topic filters a device needs, each with its QoS; see ``Device``."""
        tree, country = self._places.tree_of(device), self._places.country[device]
        topics = [
            keys_topic(tree=tree),
            *self._topics_here(device),
            event_current_filter(tree=tree),
        ]
        if country:
            topics.append(help_country_topic(country, tree=tree))
        return (
            *((topic, 1) for topic in topics),
            (heartbeat_topic(tree=tree), 0),
            (status_filter(tree=tree), 1),
        )

    def _topics_here(self, device: int) -> list[str]:
        tree, cell = self._places.tree_of(device), self._cell_name(device)
        return [area_alert_topic(cell, tree=tree), help_topic(cell, tree=tree)]

    def move(self, device: int, lat: float, lon: float, at_ns: int) -> tuple[list[str], list[str]]:
        """Take a device elsewhere at a true time; return the topics to leave and those to join.

        Live events are worked out anew for the place. None of either within the same cell.
        """
        row: Rows = np.array([device], dtype=np.int32)
        now_ns = at_ns + self._clock_offset_ns[row]
        service_ns = self._link.clock.corrected_ns(row, now_ns)
        self._alerts.advance(row, service_ns)
        before = self._topics_here(device)
        cell = cell_of(lat, lon)
        self._cell[device] = int(cell, 16)
        self._estimator.move(device, lat, lon)
        self._packs.move(device, cell)
        self._alerts.relocate(device, now_ns, service_ns, self._messages)
        here = self._topics_here(device)
        if here == before:
            return [], []
        return before, [*here, event_current_filter(tree=self._places.tree_of(device))]

    def _cell_name(self, device: int) -> str:
        return f"{int(self._cell[device]):x}"

    # ------------------------------------------------------------------ input

    def intern(self, topic: bytes, payload: bytes) -> int:
        """Return the number of a message; it is verified and read when it first comes.

        The number stays good until 512 others have been asked for, and longer while a device
        holds the message.
        """
        return self._messages.number_of(topic, payload)

    def receive(
        self, device: NDArray[np.int32], message: NDArray[np.int32], at_ns: NDArray[np.int64]
    ) -> NDArray[np.int8]:
        """Take deliveries in order of arrival; a device may occur several times.

        Parameters
        ----------
        device, message : ndarray of int32, shape (n,)
            Who got which message, by the number of :meth:`intern`. The more deliveries in one
            call, the less each costs.
        at_ns : ndarray of int64, shape (n,)
            True time of each delivery, ns.

        Returns
        -------
        ndarray of int8, shape (n,)
            An :class:`~clients.crowd.outcome.Outcome` for each.
        """
        outcomes = np.full(len(device), Outcome.OTHER, dtype=np.int8)
        for turn in _turns(device):
            rows = device[turn]
            now_ns = at_ns[turn] + self._clock_offset_ns[rows]
            service_ns = self._link.clock.corrected_ns(rows, now_ns)
            self._alerts.advance(rows, service_ns)
            numbers = message[turn]
            for number in sorted(set(numbers.tolist())):
                mine = np.flatnonzero(numbers == number)
                told = self._messages[number]
                answer = self._admission.admit(told, rows[mine], now_ns[mine], service_ns[mine])
                outcomes[turn[mine]] = answer
                mine = mine[answer == ADMITTED]
                if len(mine):
                    outcomes[turn[mine]] = self._take(
                        told, number, rows[mine], now_ns[mine], service_ns[mine]
                    )
        return outcomes

    def advance(self, at_ns: int) -> None:
        """Let time pass on every device: events vanish, screens change by themselves."""
        now_ns = at_ns + self._clock_offset_ns
        self._alerts.advance(self._all, self._link.clock.corrected_ns(self._all, now_ns))

    def _take(
        self, message: Message, number: int, rows: Rows, now_ns: Ints, service_ns: Ints
    ) -> NDArray[np.int8] | Outcome:
        """Take one message on devices that differ."""
        match message.body:
            case Alert(alert):
                return self._alerts.receive(rows, number, alert.message, now_ns, service_ns)
            case Beat(sent_ns):
                self._count("old_heartbeat", self._link.heartbeat(rows, sent_ns, now_ns))
            case Word(service_id, online, at_ns):
                n_old = self._link.status(rows, service_id, now_ns, online=online, at_ns=at_ns)
                self._count("old_status", n_old)
            case Help() as pack:
                self._counts.update(self._packs.take(rows, number, pack))
            case Keys(payload):
                self._admission.follow_keys(payload, rows, now_ns, service_ns, self._messages)
            case Refused() as refused:
                self._count(refused.reason, len(rows))
                return refused.outcome
            case Nothing():
                pass
        return Outcome.OTHER

    def _count(self, reason: str, n: int) -> None:
        if n:
            self._counts[reason] += n

    def _held(self) -> set[int]:
        return self._alerts.numbers() | self._packs.numbers()

    # ------------------------------------------------------------------ output

    @property
    def counts(self) -> dict[str, int]:
        """Messages taken, and refused by reason, over all devices, sorted.

        ``shown`` counts screens that showed a message for the first time, ``help`` packs taken.
        """
        return dict(sorted(self._counts.items()))

    def incidents(self, device: int) -> tuple[Incident, ...]:
        """Return the events one device has, as it would hold them; by identity of the event."""
        return tuple(self._alerts.incidents(device, self._messages))

    def presentation(self, device: int, at_ns: int) -> Presentation:
        """Return what is on one device's screen at a true time; looking changes nothing."""
        now_ns = at_ns + int(self._clock_offset_ns[device])
        row: Rows = np.array([device], dtype=np.int32)
        service_ns = int(self._link.clock.corrected_ns(row, np.array([now_ns]))[0])
        places, rules = self._places, self._rules
        kind, country = places.kind[device], places.country[device]
        profile = rules.profile(places.profile[device])
        viewer = viewer_of(
            kind=kind,
            device_id=places.id_of(device),
            title=places.title[device],
            language=places.language[device],
            country=country,
            profile=profile,
            gazetteer=self._gazetteer,
        )
        incidents = self.incidents(device)
        ruling = ruling_of(incidents, service_ns, rules)
        link, quiet_s = self._link.state(device, now_ns)
        return present(
            viewer,
            ruling,
            self._help_book(device).facts(),
            now_ns=service_ns,
            rules=rules,
            layout=layout_of(kind, ruling, service_ns, rules),
            cue=self._cue(device, now_ns),
            clock_trusted=self._link.trusted(device),
            link_notes=link_notes(
                viewer.text, link, quiet_s=quiet_s, synchronised=self._link.synchronised(device)
            ),
            n_others=n_others(incidents, ruling, service_ns, rules),
        )

    def _help_book(self, device: int) -> HelpBook:
        """Return the help of one device; the way to its shelter is looked for here, on demand."""
        book = HelpBook(
            lat=float(self._estimator.lat[device]),
            lon=float(self._estimator.lon[device]),
            cell=self._cell_name(device),
            country=self._places.country[device],
        )
        for number in self._packs.of(device):
            pack = self._messages[number].body
            if isinstance(pack, Help):
                book.take(pack.payload)
        return book

    def _cue(self, device: int, now_ns: int) -> CuePlayed | None:
        last = self._alerts.cue(device)
        if last is None:
            return None
        name, at_ns = last
        places = self._places
        profile = self._rules.profile(places.profile[device])
        vibrates = places.kind[device] == "phone"
        cue = cue_for(name, "", at_ns, profile, self._rules, vibrates=vibrates)
        return cue if is_on(cue, now_ns, self._rules) else None

    @property
    def nbytes(self) -> int:
        """Memory of all arrays that have an entry per device."""
        own = self._cell.nbytes + self._all.nbytes
        parts = (self._places, self._alerts, self._estimator, self._link, self._packs)
        return own + sum(part.nbytes for part in parts)


def _turns(device: NDArray[np.int32]) -> Iterator[NDArray[np.intp]]:
    """Cut deliveries into turns in which each device occurs at most once, its own order kept."""
    n = len(device)
    order = np.argsort(device, kind="stable")
    first = np.ones(n, dtype=np.bool_)
    first[1:] = np.diff(device[order]) != 0
    starts = np.flatnonzero(first)
    if len(starts) == n:
        yield np.arange(n)
        return
    turn = np.empty(n, dtype=np.int64)
    turn[order] = np.arange(n) - np.repeat(starts, np.diff(np.append(starts, n)))
    by_turn = np.argsort(turn, kind="stable")
    ends = np.cumsum(np.bincount(turn))
    yield from np.split(by_turn, ends[:-1])
