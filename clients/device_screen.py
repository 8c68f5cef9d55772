"""The screen of one device: which event rules it, what of that is new, and which cue is on."""

from __future__ import annotations

from collections.abc import Collection

from clients.events import CuePlayed, DeviceEvent, Phase, PhaseChanged, Received, Shown
from clients.help_book import HelpFact
from clients.incident import Incident
from clients.policy import DevicePolicy
from clients.presentation import Presentation, Viewer, present
from clients.screen import cue_for, is_on, layout_of, link_notes, n_others, ruling_of
from clients.session import DeviceSession, EventState

__all__ = ["DeviceScreen", "not_shown"]


class DeviceScreen:
    """What was on a screen last, so that a change can be told.

    Parameters
    ----------
    viewer : Viewer
        Who looks at it.
    vibrates : bool
        Whether its cues can be felt.
    """

    def __init__(self, viewer: Viewer, rules: DevicePolicy, *, vibrates: bool) -> None:
        self._viewer, self._rules, self._vibrates = viewer, rules, vibrates
        self._phase = Phase.IDLE
        self._cue: CuePlayed | None = None
        self.ruling = ""  # event on the screen; empty when idle

    def follow(
        self, incidents: Collection[Incident], now_ns: int, service_ns: int
    ) -> list[DeviceEvent]:
        """Return what changed since last time, by the device's own time and the service's, ns."""
        ruling = ruling_of(incidents, service_ns, self._rules)
        events: list[DeviceEvent] = []
        phase = ruling.phase(service_ns, self._rules) if ruling is not None else Phase.IDLE
        name = ruling.alert.message.event_id if ruling is not None else ""
        if (phase, name) != (self._phase, self.ruling):
            self._phase, self.ruling = phase, name
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
        return events

    def play(self, name: str, event_id: str, now_ns: int) -> list[DeviceEvent]:
        """Play a cue as the viewer's profile lets it be heard and felt."""
        self._cue = cue_for(
            name, event_id, now_ns, self._viewer.profile, self._rules, vibrates=self._vibrates
        )
        return [self._cue]

    def presentation(
        self,
        incidents: Collection[Incident],
        help_facts: HelpFact,
        session: DeviceSession,
        now_ns: int,
    ) -> Presentation:
        """Return what is on the screen at a time; looking changes nothing."""
        service_ns = session.corrected_ns(now_ns)
        ruling = ruling_of(incidents, service_ns, self._rules)
        cue = self._cue
        if cue is not None and not is_on(cue, now_ns, self._rules):
            cue = None
        return present(
            self._viewer,
            ruling,
            help_facts,
            now_ns=service_ns,
            rules=self._rules,
            layout=layout_of(self._viewer.kind, ruling, service_ns, self._rules),
            cue=cue,
            clock_trusted=session.clock_trusted,
            link_notes=link_notes(
                self._viewer.text,
                session.link(now_ns),
                quiet_s=session.silence_s(now_ns),
                synchronised=session.clock_synchronised,
            ),
            n_others=n_others(incidents, ruling, service_ns, self._rules),
        )


def not_shown(incident: Incident, now_ns: int) -> Received:
    """Return that a message was taken but is not on the screen, and why."""
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
