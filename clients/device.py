"""A device as one sans-I/O object: payloads and times in, events and a screen out.

Phone and TV share everything but layout, cues and what they call their place. The position
stays inside: subscriptions name a coarse cell, events carry no place, and nothing here
publishes.
"""

from __future__ import annotations

from clients.events import (
    CuePlayed,
    DeviceEvent,
    HelpUpdated,
    Ignored,
    Phase,
    PhaseChanged,
    Received,
    Shown,
)
from clients.help_book import HelpBook, HelpFact
from clients.incident import ACTIVE_PHASES, Incident
from clients.locality import LocalEstimate, SharedEstimator, estimate_here
from clients.policy import policy
from clients.presentation import Presentation, Viewer, present
from clients.session import DeviceSession, EventState, Link
from clients.text import catalogue
from eew.errors import ConfigError, WireError
from eew.messages import wire
from eew.messages.control_wire import decode_heartbeat, decode_status
from eew.messages.levels import Thresholds, default_thresholds
from eew.messages.national_help import distance_unit
from eew.messages.topics import (
    TopicKind,
    area_alert_topic,
    cell_of,
    event_current_filter,
    heartbeat_topic,
    help_country_topic,
    help_topic,
    parse_topic,
    status_filter,
)
from eew.model.alert import AlertMessage, Level
from eew.model.place import Site

__all__ = ["Device"]

_NS_PER_S = 1_000_000_000
_ALERT_TOPICS = (
    TopicKind.ALERT,
    TopicKind.EVENT_CURRENT,
    TopicKind.AREA_ALERT,
)


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
    ) -> None:
        self.id = id
        self.cell = cell_of(lat, lon)
        self.country = country
        self._lat, self._lon = lat, lon
        self._vs30_mps = vs30_mps
        self._thresholds = thresholds
        self._estimator = estimator
        self._place_index = estimator.add(lat, lon, vs30_mps) if estimator is not None else -1
        self._rules = policy()
        self._profile = self._rules.profile(profile)
        self._session = DeviceSession(follow_heartbeat=follow_heartbeat, rules=self._rules)
        self._book = HelpBook(lat=lat, lon=lon, cell=self.cell, country=country)
        self._incidents: dict[str, Incident] = {}
        self._ruling: str = ""
        self._phase = Phase.IDLE
        self._cue: CuePlayed | None = None
        self._ignored: dict[str, int] = {}
        text = catalogue(language)
        self._viewer = Viewer(
            kind=self.kind,
            device_id=id,
            title=title or text(f"screen.{self.kind}"),
            text=text,
            unit=distance_unit(country),
            profile=self._profile,
            gazetteer=gazetteer,
        )

    # ------------------------------------------------------------------ what it listens to

    def subscriptions(self) -> list[str]:
        """Return the topics it needs; the coarse cell is all they tell of where it is.

        ``event/+/current`` only has to be read once on joining: what is live comes by
        ``area/.../alert``, and a copy of a message already taken is ignored.
        """
        topics = [area_alert_topic(self.cell), event_current_filter(), help_topic(self.cell)]
        if self.country:
            topics.append(help_country_topic(self.country))
        return [*topics, heartbeat_topic(), status_filter()]

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
        try:
            parsed = parse_topic(topic)
            if parsed.kind in _ALERT_TOPICS:
                return events + self._receive_alert(topic, payload, now_ns)
            if parsed.kind in (TopicKind.HELP_CELL, TopicKind.HELP_COUNTRY):
                return events + self._receive_help(topic, payload, now_ns)
            if parsed.kind is TopicKind.HEARTBEAT:
                self._session.heartbeat(decode_heartbeat(payload), now_ns)
                return events
            if parsed.kind is TopicKind.STATUS:
                status = decode_status(payload)
                self._session.service_status(online=status.online, now_ns=now_ns)
                return events
        except WireError as error:
            return [*events, self._ignore(topic, "unreadable", now_ns, detail=str(error))]
        return [*events, self._ignore(topic, "not_for_devices", now_ns)]

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
            events.append(self._not_shown(incident, now_ns))
        elif louder:
            events += self._play(incident.level.value, event_id, now_ns)
        elif state is EventState.CANCELLED:
            events += self._play("cancelled", event_id, now_ns)
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

    # ------------------------------------------------------------------ the screen

    def _rule(self, service_ns: int) -> Incident | None:
        """Return the event that rules the screen: the worst one."""
        told = [i for i in self._incidents.values() if i.told_ns is not None]
        if not told:
            return None
        worst = max(told, key=lambda incident: incident.urgency(service_ns, self._rules))
        return worst if worst.phase(service_ns, self._rules) is not Phase.IDLE else None

    def _follow(self, now_ns: int) -> list[DeviceEvent]:
        """Say what changed on the screen since last time."""
        service_ns = self._session.corrected_ns(now_ns)
        ruling = self._rule(service_ns)
        events: list[DeviceEvent] = []
        phase = ruling.phase(service_ns, self._rules) if ruling is not None else Phase.IDLE
        name = ruling.alert.message.event_id if ruling is not None else ""
        if (phase, name) != (self._phase, self._ruling):
            self._phase, self._ruling = phase, name
            events.append(PhaseChanged(phase=phase, event_id=name, at_ns=now_ns))
        if ruling is not None:
            serial = ruling.alert.message.serial
            if serial not in ruling.shown_serials:
                ruling.shown_serials.add(serial)
                offset_ns = now_ns - service_ns
                events.append(
                    Shown(
                        event_id=name,
                        serial=serial,
                        level=ruling.level,
                        phase=phase,
                        received_ns=ruling.received_ns + offset_ns,
                        at_ns=now_ns,
                    )
                )
        self._forget(service_ns)
        return events

    def _not_shown(self, incident: Incident, now_ns: int) -> Received:
        message = incident.alert.message
        if incident.told_ns is not None:
            reason = "other_event"
        elif incident.state is EventState.CANCELLED:
            reason = "nothing_to_withdraw"
        else:
            reason = "below_threshold"
        return Received(
            event_id=message.event_id,
            serial=message.serial,
            level=incident.level,
            reason=reason,
            at_ns=now_ns,
        )

    def _play(self, name: str, event_id: str, now_ns: int) -> list[DeviceEvent]:
        cue = self._rules.cues[name]
        quiet = name in self._profile.quiet
        self._cue = CuePlayed(
            name=name,
            sound="" if quiet or not self._profile.sound else cue.sound,
            haptics_ms=self._haptics(cue.haptics_ms) if self.vibrates and not quiet else (),
            event_id=event_id,
            at_ns=now_ns,
        )
        return [self._cue]

    def _haptics(self, pattern_ms: tuple[int, ...]) -> tuple[int, ...]:
        """Return the pattern of the profile: repeated with a pause between."""
        return (*pattern_ms, *((500, *pattern_ms) * (self._profile.pulses - 1)))

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
        service_ns = self._session.corrected_ns(now_ns)
        ruling = self._rule(service_ns)
        cue = self._cue
        if cue is not None and now_ns - cue.at_ns >= round(self._rules.cue_s * _NS_PER_S):
            cue = None
        return present(
            self._viewer,
            ruling,
            self._book.facts(),
            now_ns=service_ns,
            rules=self._rules,
            layout=self._layout(ruling, service_ns),
            cue=cue,
            clock_trusted=self._session.clock_trusted,
            link_notes=self._link_notes(now_ns),
            n_others=self._n_others(ruling, service_ns),
        )

    def _layout(self, ruling: Incident | None, service_ns: int) -> str:
        return "full"

    def _n_others(self, ruling: Incident | None, service_ns: int) -> int:
        active = [
            incident
            for incident in self._incidents.values()
            if incident is not ruling and incident.phase(service_ns, self._rules) in ACTIVE_PHASES
        ]
        return len(active)

    def _link_notes(self, now_ns: int) -> tuple[str, ...]:
        text, session = self._viewer.text, self._session
        notes = []
        if not session.clock_synchronised:
            notes.append(text("note.clock"))
        link = session.link(now_ns)
        if link is Link.STALE:
            notes.append(text("note.stale", seconds=int(session.silence_s(now_ns))))
        elif link is Link.OFFLINE:
            notes.append(text("note.offline"))
        return tuple(notes)

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
        ruling = self._incidents.get(self._ruling)
        return ruling.level if ruling is not None else Level.NONE

    @property
    def counts(self) -> dict[str, int]:
        """Messages taken, and ignored by reason, sorted."""
        counts = dict(self._ignored)
        counts["accepted"] = self._session.counts.get("accepted", 0)
        counts["vanished"] = self._session.counts.get("vanished", 0)
        return dict(sorted(counts.items()))
