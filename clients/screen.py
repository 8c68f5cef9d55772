"""From what a device knows to its screen: which event rules, which notes stand under it.

Pure functions over incidents, for a device that is an object and for one that is a row of arrays.
"""

from __future__ import annotations

from collections.abc import Iterable

from clients.events import CuePlayed, Phase
from clients.incident import ACTIVE_PHASES, Incident
from clients.policy import DevicePolicy, Profile
from clients.presentation import Viewer
from clients.session import Link
from clients.text import Catalogue, catalogue
from eew.messages.national_help import distance_unit
from eew.model.place import Site

__all__ = ["cue_for", "is_on", "layout_of", "link_notes", "n_others", "ruling_of", "viewer_of"]

_NS_PER_S = 1_000_000_000


def viewer_of(
    *,
    kind: str,
    device_id: str,
    title: str,
    language: str,
    country: str,
    profile: Profile,
    gazetteer: tuple[Site, ...],
) -> Viewer:
    """Return who looks at a screen, by the settings of the device."""
    text = catalogue(language)
    return Viewer(
        kind=kind,
        device_id=device_id,
        title=title or text(f"screen.{kind}"),
        text=text,
        unit=distance_unit(country),
        profile=profile,
        gazetteer=gazetteer,
    )


def ruling_of(
    incidents: Iterable[Incident], service_ns: int, rules: DevicePolicy
) -> Incident | None:
    """Return the event that rules the screen: the worst one that was told; None when idle."""
    told = [incident for incident in incidents if incident.told_ns is not None]
    if not told:
        return None
    worst = max(told, key=lambda incident: incident.urgency(service_ns, rules))
    return worst if worst.phase(service_ns, rules) is not Phase.IDLE else None


def n_others(
    incidents: Iterable[Incident], ruling: Incident | None, service_ns: int, rules: DevicePolicy
) -> int:
    """Return how many other events are active."""
    return sum(
        incident is not ruling and incident.phase(service_ns, rules) in ACTIVE_PHASES
        for incident in incidents
    )


def layout_of(kind: str, ruling: Incident | None, service_ns: int, rules: DevicePolicy) -> str:
    """Return ``full`` for a phone; ``strip``, then ``panel`` for a TV.

    The strip is up at once over the programme; each new event and each higher level begins with
    it again.
    """
    if kind != "tv":
        return "full"
    if ruling is None or ruling.raised_ns is None:
        return "panel"
    strip_ns = round(rules.strip_s * _NS_PER_S)
    return "strip" if service_ns < ruling.raised_ns + strip_ns else "panel"


def link_notes(
    text: Catalogue, link: Link, *, quiet_s: float, synchronised: bool
) -> tuple[str, ...]:
    """Return what is to be said about clock and contact."""
    notes = []
    if not synchronised:
        notes.append(text("note.clock"))
    if link is Link.STALE:
        notes.append(text("note.stale", seconds=int(quiet_s)))
    elif link is Link.OFFLINE:
        notes.append(text("note.offline"))
    return tuple(notes)


def cue_for(
    name: str, event_id: str, at_ns: int, profile: Profile, rules: DevicePolicy, *, vibrates: bool
) -> CuePlayed:
    """Return a cue as the profile lets it be heard and felt; the pattern may be repeated."""
    cue = rules.cues[name]
    quiet = name in profile.quiet
    pattern_ms: tuple[int, ...] = ()
    if vibrates and not quiet:
        pattern_ms = (*cue.haptics_ms, *((500, *cue.haptics_ms) * (profile.pulses - 1)))
    return CuePlayed(
        name=name,
        sound="" if quiet or not profile.sound else cue.sound,
        haptics_ms=pattern_ms,
        event_id=event_id,
        at_ns=at_ns,
    )


def is_on(cue: CuePlayed, now_ns: int, rules: DevicePolicy) -> bool:
    """Tell whether a cue is still on."""
    return now_ns - cue.at_ns < round(rules.cue_s * _NS_PER_S)
