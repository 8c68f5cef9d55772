"""A device as one sans-I/O object: payloads and times in, events and a screen out.

Phone and TV share everything but layout, cues and what they call their place. The position
stays inside: subscriptions name a coarse cell, events carry no place, and nothing here
publishes.
"""

from __future__ import annotations

from clients.device_screen import DeviceScreen, not_shown
from clients.events import DeviceEvent, HelpUpdated, Ignored, Moved, Phase
from clients.help_book import HelpBook, HelpFact
from clients.incident import Incident
from clients.locality import LocalEstimate, SharedEstimator, estimate_here
from clients.policy import policy
from clients.presentation import Presentation
from clients.screen import viewer_of
from clients.session import DeviceSession, EventState, Link, Refusal
from clients.trust import Distrust, Trust
from eew.errors import ConfigError, WireError
from eew.messages import wire
from eew.messages.control_wire import decode_heartbeat, decode_status
from eew.messages.key_wire import split_statements
from eew.messages.levels import Thresholds, default_thresholds
from eew.messages.seal import Keyring
from eew.messages.topics import (
    ParsedTopic,
    TopicKind,
    area_alert_topic,
    cell_of,
    event_current_filter,
    heartbeat_topic,
    help_country_topic,
    help_topic,
    keys_topic,
    status_filter,
)
from eew.model.alert import AlertMessage, Level, Status
from eew.model.place import Site

__all__ = ["Device"]

_ENDED = (EventState.CANCELLED, EventState.VANISHED)


class Device:
    """A simulated device at one place.

    Parameters
    ----------
    id : str
        One level of the topic of its answers.
    lat, lon : float
        Where it is, degrees; never leaves this object.
    language : str
        Tag such as ``en`` or ``zh-CN``; English where there is no catalogue.
    country : str
        ISO 3166-1 alpha-2, set up with the device: which national numbers it carries.
    profile : str
        Name in the table of profiles.
    title : str
        What the screen calls itself (a district on a TV).
    gazetteer : tuple of Site
        Known places, to say where a quake is.
    vs30_mps : float, optional
        Ground at the place.
    thresholds : Thresholds, optional
        The user's own for one scale; the defaults hold for the other scales.
    estimator : SharedEstimator, optional
        One for all devices of a process, to work each message out once for all of them.
    follow_heartbeat : bool
        False without a broker, and in a replay faster than real time.
    keyring : Keyring, optional
        The keys it was set up with; without any it believes nobody and shows nothing. One may be
        shared by all devices of a process, which then verify each payload once.
    tree : Status
        The tree it lives by. Messages of another are refused, whoever signed them.
    """

    kind = ""
    vibrates = False

    def __init__(
        self,
        *,
        id: str,
        lat: float,
        lon: float,
        language: str = "en",
        country: str = "",
        profile: str = "default",
        title: str = "",
        gazetteer: tuple[Site, ...] = (),
        vs30_mps: float | None = None,
        thresholds: Thresholds | None = None,
        estimator: SharedEstimator | None = None,
        follow_heartbeat: bool = True,
        keyring: Keyring | None = None,
        tree: Status = Status.EXERCISE,
    ) -> None:
        self.id = id
        self.tree = tree
        self.cell = cell_of(lat, lon)
        self.country = country
        self._lat, self._lon = lat, lon
        self._vs30_mps = vs30_mps
        self._thresholds = thresholds
        self._estimator = estimator
        self._place_index = estimator.add(lat, lon, vs30_mps) if estimator is not None else -1
        self._rules = policy()
        self._trust = Trust(keyring, tree)
        self._session = DeviceSession(follow_heartbeat=follow_heartbeat, rules=self._rules)
        self._book = HelpBook(lat=lat, lon=lon, cell=self.cell, country=country)
        self._incidents: dict[str, Incident] = {}
        self._ignored: dict[str, int] = {}
        viewer = viewer_of(
            kind=self.kind,
            device_id=id,
            title=title,
            language=language,
            country=country,
            profile=self._rules.profile(profile),
            gazetteer=gazetteer,
        )
        self._screen = DeviceScreen(viewer, self._rules, vibrates=self.vibrates)

    # ------------------------------------------------------------------ what it listens to

    def subscriptions(self) -> list[str]:
        """Return the topics it needs; the coarse cell is all they tell of where it is.

        ``event/+/current`` only has to be read once on joining: what is live comes by
        ``area/.../alert``, and a copy of a message already taken is ignored.
        """
        tree = self.tree
        # keys first: what comes after may be signed by one that is handed on just there
        topics = [keys_topic(tree=tree), *self._topics_here(), event_current_filter(tree=tree)]
        if self.country:
            topics.append(help_country_topic(self.country, tree=tree))
        return [*topics, heartbeat_topic(tree=tree), status_filter(tree=tree)]

    def _topics_here(self) -> list[str]:
        return [area_alert_topic(self.cell, tree=self.tree), help_topic(self.cell, tree=self.tree)]

    def move(self, lat: float, lon: float, now_ns: int) -> Moved:
        """Be somewhere else from now on.

        What is known of the events is worked out anew for the place: a phone that is carried
        towards a quake may have to call its owner to action.

        Returns
        -------
        Moved
            Topics to join, then to leave; none within the same cell. ``event/+/current`` is among
            the first: an event that concerns the new cell may never have concerned the old one.
        """
        events = self.advance(now_ns)
        before, self.cell = self._topics_here(), cell_of(lat, lon)
        self._lat, self._lon = lat, lon
        self._book.move(lat, lon, self.cell)
        if self._estimator is not None:
            self._estimator.move(self._place_index, lat, lon)
        for event_id in sorted(self._incidents):
            events += self._relocate(self._incidents[event_id], now_ns)
        here = self._topics_here()
        if here == before:
            return Moved(join=(), leave=(), events=tuple(events))
        join = (*here, event_current_filter(tree=self.tree))
        return Moved(join=join, leave=tuple(before), events=tuple(events))

    def _relocate(self, incident: Incident, now_ns: int) -> list[DeviceEvent]:
        message = incident.alert.message
        service_ns = self._session.corrected_ns(now_ns)
        if incident.state in _ENDED or message.expires_ns <= service_ns:
            return []
        limits = self._limits(message)
        louder = incident.relocate(self._estimate(message), service_ns, limits, self._rules)
        events = self._follow(now_ns)
        if louder and message.serial in incident.shown_serials:
            events += self._screen.play(incident.level.value, message.event_id, now_ns)
        return events

    # ------------------------------------------------------------------ input

    def receive(self, topic: str, payload: bytes, now_ns: int) -> list[DeviceEvent]:
        """Take one message as the broker delivered it.

        Parameters
        ----------
        topic, payload : str, bytes
            As received; anything unreadable is an :class:`Ignored`, never an exception.
        now_ns : int
            The device's own time, ns.

        Returns
        -------
        list of DeviceEvent
            In order; empty where there is nothing to tell (a heartbeat, a retained message being
            removed).
        """
        events = self.advance(now_ns)
        if not payload:  # an empty retained message removes the one before
            return events
        service_ns, known = self._service_time(now_ns)
        try:
            parsed = self._trust.admit(topic, payload, service_ns, known=known)
            return events + self._take(parsed, topic, payload, now_ns)
        except Distrust as doubt:
            return [*events, self._ignore(topic, doubt.reason, now_ns, detail=doubt.detail)]
        except WireError as error:
            return [*events, self._ignore(topic, "unreadable", now_ns, detail=str(error))]

    def _service_time(self, now_ns: int) -> tuple[int, bool]:
        return self._session.corrected_ns(now_ns), self._session.clock_known(now_ns)

    def _take(
        self, parsed: ParsedTopic, topic: str, payload: bytes, now_ns: int
    ) -> list[DeviceEvent]:
        """Read what is believed."""
        refusal: Refusal | None = None
        match parsed.kind:
            case TopicKind.HELP_CELL | TopicKind.HELP_COUNTRY:
                return self._receive_help(topic, payload, now_ns)
            case TopicKind.KEYS:
                return self._receive_keys(topic, payload, now_ns)
            case TopicKind.HEARTBEAT:
                refusal = self._session.heartbeat(decode_heartbeat(payload), now_ns)
            case TopicKind.STATUS:
                status = decode_status(payload)
                if status.service_id != parsed.key:
                    raise Distrust("wrong_topic", f"the word of {status.service_id!r}")
                refusal = self._session.service_status(
                    status.service_id, online=status.online, at_ns=status.at_ns, now_ns=now_ns
                )
            case _:
                return self._receive_alert(topic, payload, now_ns)
        return [] if refusal is None else [self._ignore(topic, refusal.value, now_ns)]

    def _receive_keys(self, topic: str, payload: bytes, now_ns: int) -> list[DeviceEvent]:
        events: list[DeviceEvent] = []
        service_ns, known = self._service_time(now_ns)
        for statement in split_statements(payload):
            try:
                self._trust.follow(statement, service_ns, known=known)
            except Distrust as doubt:
                events.append(self._ignore(topic, doubt.reason, now_ns, detail=doubt.detail))
            except WireError as error:
                events.append(self._ignore(topic, "unreadable", now_ns, detail=str(error)))
        return events

    def advance(self, now_ns: int) -> list[DeviceEvent]:
        """Let time pass; returns what changed on the screen by itself."""
        service_ns = self._session.corrected_ns(now_ns)
        for event_id in self._session.advance(now_ns):
            incident = self._incidents.get(event_id)
            if incident is not None:
                incident.vanish(service_ns)
        return self._follow(now_ns)

    def _receive_alert(self, topic: str, payload: bytes, now_ns: int) -> list[DeviceEvent]:
        alert = wire.decode(payload)
        message = alert.message
        event_id, serial = message.event_id, message.serial
        if message.status is not self.tree:
            raise Distrust("wrong_status", f"{message.status.value!r} in {self.tree.value!r}")
        try:
            estimate = self._estimate(message)
        except ConfigError as error:  # a model of a newer version: nothing can be said of here
            return [
                self._ignore(topic, "unknown_model", now_ns, event_id, serial, detail=str(error))
            ]
        verdict = self._session.receive(alert, now_ns)
        if verdict.refusal is not None:
            return [self._ignore(topic, verdict.refusal.value, now_ns, event_id, serial)]
        service_ns = self._session.corrected_ns(now_ns)
        state = self._session.state_of(event_id) or EventState.LIVE
        incident = self._incidents.get(event_id)
        if incident is None:
            incident = Incident.begin(alert, estimate, state, service_ns)
            self._incidents[event_id] = incident
            louder = incident.told_ns is not None
        else:
            limits = self._limits(message)
            louder = incident.update(alert, estimate, state, service_ns, limits, self._rules)
        events = self._follow(now_ns)
        if serial not in incident.shown_serials:
            events.append(not_shown(incident, now_ns))
        elif louder:
            events += self._screen.play(incident.level.value, event_id, now_ns)
        elif state is EventState.CANCELLED:
            events += self._screen.play("cancelled", event_id, now_ns)
        return events

    def _estimate(self, message: AlertMessage) -> LocalEstimate:
        limits = self._limits(message)
        if self._estimator is not None:
            return self._estimator.estimate(message, self._place_index, limits)
        return estimate_here(
            message, self._lat, self._lon, vs30_mps=self._vs30_mps, thresholds=limits
        )

    def _limits(self, message: AlertMessage) -> Thresholds:
        scale = message.prediction.scale
        if self._thresholds is not None and self._thresholds.scale == scale:
            return self._thresholds
        return default_thresholds(scale)

    def _receive_help(self, topic: str, payload: bytes, now_ns: int) -> list[DeviceEvent]:
        pack, refusal = self._book.take(payload)
        if refusal:
            return [self._ignore(topic, refusal, now_ns, detail=f"{pack.area} {pack.version}")]
        return [
            HelpUpdated(
                area=pack.area, version=pack.version, n_shelters=len(pack.shelters), at_ns=now_ns
            )
        ]

    def _follow(self, now_ns: int) -> list[DeviceEvent]:
        """Say what changed on the screen since last time."""
        service_ns = self._session.corrected_ns(now_ns)
        events = self._screen.follow(self._incidents.values(), now_ns, service_ns)
        self._forget(service_ns)
        return events

    def _forget(self, service_ns: int) -> None:
        """Drop events the session has forgotten and the screen has done with."""
        for event_id in [e for e in self._incidents if self._session.state_of(e) is None]:
            if self._incidents[event_id].phase(service_ns, self._rules) is Phase.IDLE:
                del self._incidents[event_id]

    def _ignore(
        self,
        topic: str,
        reason: str,
        now_ns: int,
        event_id: str = "",
        serial: int = 0,
        *,
        detail: str = "",
    ) -> Ignored:
        self._ignored[reason] = self._ignored.get(reason, 0) + 1
        return Ignored(
            topic=topic,
            reason=reason,
            at_ns=now_ns,
            event_id=event_id,
            serial=serial,
            detail=detail,
        )

    # ------------------------------------------------------------------ output

    def presentation(self, now_ns: int) -> Presentation:
        """Return what is on the screen at a time; looking changes nothing."""
        return self._screen.presentation(
            self._incidents.values(), self._book.facts(), self._session, now_ns
        )

    def estimate_of(self, event_id: str) -> LocalEstimate | None:
        """Return the newest local estimate of an event, for scores; it stays on the device."""
        incident = self._incidents.get(event_id)
        return incident.estimate if incident is not None else None

    def help_facts(self) -> HelpFact:
        """Return the help the device knows."""
        return self._book.facts()

    def link(self, now_ns: int) -> Link:
        """Return whether the service can be heard."""
        return self._session.link(now_ns)

    @property
    def level(self) -> Level:
        """Level now asked for on the screen."""
        ruling = self._incidents.get(self._screen.ruling)
        return ruling.level if ruling is not None else Level.NONE

    @property
    def counts(self) -> dict[str, int]:
        """Messages taken, and ignored by reason, sorted."""
        counts = dict(self._ignored)
        counts["accepted"] = self._session.counts.get("accepted", 0)
        counts["vanished"] = self._session.counts.get("vanished", 0)
        return dict(sorted(counts.items()))
