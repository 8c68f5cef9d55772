"""What a screen shows, as one value for all screens: text box, web page, speech, test.

Order of what people read: the mark that this is a simulation, what to do, how strong it will be
here, when, where; then help. Help is in the value from the first second; after the shaking it
comes first (``help_first``), because during shaking nobody should walk to a shelter.
"""

from __future__ import annotations

from dataclasses import dataclass

from clients.arrival import ArrivalKind
from clients.events import CuePlayed, Phase
from clients.help_book import HelpFact
from clients.incident import ACTIVE_PHASES, Incident
from clients.policy import DevicePolicy, Profile
from clients.text import Catalogue
from eew.model.alert import Level, Status
from eew.model.place import Contact, Site
from eew.physics.geo import epicentral_distance_km
from eew.physics.intensity import jma_class

__all__ = ["HelpBlock", "Presentation", "Viewer", "present"]

_NEAR_KM = 100.0  # a place farther from the quake than this does not say where it was
_HERE_KM = 5.0  # nearer than the location is ever known: no direction is given
_PICTOGRAMS = {
    Phase.IDLE: "idle",
    Phase.TAKE_ACTION: "drop_cover_hold_on",
    Phase.BE_AWARE: "be_aware",
    Phase.WEAKER: "be_aware",
    Phase.WEAKER_NONE: "be_aware",
    Phase.SHAKING_NOW: "shaking",
    Phase.SHAKING_NOW_LIGHT: "shaking",
    Phase.AFTER: "shelter",
    Phase.CANCELLED: "all_clear",
    Phase.VANISHED: "no_contact",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpBlock:
    """Nearest shelter with its way, numbers to call, rescue text; ready to print.

    ``shelter_*`` are empty or None without a pack that has shelters; ``no_shelter`` then says
    what to do instead. ``generated`` is not empty where the shelter was made up.
    """

    shelter_name: str
    shelter_line: str
    shelter_way: str
    shelter_address: str
    shelter_distance_km: float | None
    shelter_azimuth_deg: float | None
    no_shelter: str
    generated: str
    emergency: str
    medical: str
    information: str
    rescue_title: str
    rescue: tuple[str, ...]
    source: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """One screen at one moment. Empty text means: not shown.

    Attributes
    ----------
    kind : str
        ``phone`` or ``tv``.
    layout : str
        ``full`` (phone), ``strip`` then ``panel`` (TV).
    seconds : int or None
        Seconds left, only where the policy allows a number; ``arrival`` is the sentence.
    intensity_label : str
        Class reached, rounded down, as the level and the radii are; ``5-`` and so on for JMA.
    sound, haptics_ms, caption : str, tuple of int, str
        Of the cue that is on now; empty when none is.
    notes : tuple of str
        Blind zone, lower bound, clock, contact lost, other events, drill.
    """

    kind: str
    device_id: str
    title: str
    lang: str
    layout: str
    phase: Phase
    level: Level
    event_id: str
    serial: int
    simulation_mark: str
    headline: str
    detail: str
    pictogram: str
    pictogram_text: str
    intensity_here: str
    intensity: float | None
    intensity_label: str
    intensity_scale: str
    arrival: str
    seconds: int | None
    place: str
    notes: tuple[str, ...]
    help: HelpBlock
    help_first: bool
    sound: str
    haptics_ms: tuple[int, ...]
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks at the screen: what of a device matters for its words."""

    kind: str
    device_id: str
    title: str
    text: Catalogue
    unit: str  # km or mi
    profile: Profile
    gazetteer: tuple[Site, ...]


def present(
    viewer: Viewer,
    incident: Incident | None,
    facts: HelpFact,
    *,
    now_ns: int,
    rules: DevicePolicy,
    layout: str,
    cue: CuePlayed | None,
    clock_trusted: bool,
    link_notes: tuple[str, ...],
    n_others: int,
) -> Presentation:
    """Put a screen together.

    Parameters
    ----------
    incident : Incident or None
        The event that rules the screen; None when idle.
    now_ns : int
        The service's time, ns.
    cue : CuePlayed or None
        The cue that is on now.
    clock_trusted : bool
        False hides the number of seconds.
    link_notes : tuple of str
        What is to be said about clock and contact.
    n_others : int
        Other active events.
    """
    text = viewer.text
    phase = incident.phase(now_ns, rules) if incident is not None else Phase.IDLE
    shown = incident if phase is not Phase.IDLE else None
    expecting = shown is not None and phase in ACTIVE_PHASES
    arrival, seconds = "", None
    if expecting and shown is not None:
        arrival, seconds = _arrival(viewer, shown, phase, now_ns, rules, clock_trusted)
    label = _label(shown) if shown is not None and expecting else ""
    pictogram = _PICTOGRAMS[phase]
    if viewer.profile.variant and phase is Phase.TAKE_ACTION:
        pictogram = "lock_cover_hold_on"
    return Presentation(
        kind=viewer.kind,
        device_id=viewer.device_id,
        title=viewer.title,
        lang=text.language,
        layout=layout,
        phase=phase,
        level=shown.level if shown is not None else Level.NONE,
        event_id=shown.alert.message.event_id if shown is not None else "",
        serial=shown.alert.message.serial if shown is not None else 0,
        simulation_mark=_mark(text, shown),
        headline=_worded(text, "headline", phase, viewer.profile),
        detail=_worded(text, "detail", phase, viewer.profile),
        pictogram=pictogram,
        pictogram_text=text(f"pictogram.{pictogram}"),
        intensity_here=_intensity_sentence(text, shown, label) if shown is not None else "",
        intensity=shown.estimate.intensity if shown is not None and expecting else None,
        intensity_label=label,
        intensity_scale=shown.estimate.scale if shown is not None and expecting else "",
        arrival=arrival,
        seconds=seconds,
        place=_place(viewer, shown) if shown is not None and phase is not Phase.CANCELLED else "",
        notes=(*_event_notes(text, shown, phase), *_others(text, n_others), *link_notes),
        help=_help(viewer, facts),
        help_first=phase is Phase.AFTER,
        sound=cue.sound if cue is not None else "",
        haptics_ms=cue.haptics_ms if cue is not None else (),
        caption=text(f"caption.{cue.name}") if cue is not None else "",
    )


def _mark(text: Catalogue, shown: Incident | None) -> str:
    mark = text("mark.simulation")
    if shown is None:
        return mark
    drill = shown.alert.message.status is not Status.TEST
    return f"{text('mark.exercise' if drill else 'mark.test')} | {mark}"


def _worded(text: Catalogue, section: str, phase: Phase, profile: Profile) -> str:
    key = f"{section}.{phase.value}"
    varied = f"{key}_{profile.variant}"
    return text(varied if profile.variant and varied in text.keys else key)


def _arrival(
    viewer: Viewer,
    shown: Incident,
    phase: Phase,
    now_ns: int,
    rules: DevicePolicy,
    clock_trusted: bool,
) -> tuple[str, int | None]:
    arrival = shown.countdown.shown(now_ns, rules, clock_trusted=clock_trusted)
    if not viewer.profile.countdown and arrival.kind is not ArrivalKind.NOW:
        return "", None
    if arrival.kind is ArrivalKind.NOW and phase in (
        Phase.SHAKING_NOW,
        Phase.SHAKING_NOW_LIGHT,
    ):
        return "", None  # the headline says it
    values = {} if arrival.seconds is None else {"seconds": arrival.seconds}
    return viewer.text(f"arrival.{arrival.kind.value}", **values), arrival.seconds


def _label(shown: Incident) -> str:
    estimate = shown.estimate
    if estimate.scale == "jma":
        return jma_class(max(estimate.intensity, 0.0))
    top = 12 if estimate.scale == "csi" else 10
    return str(min(max(int(estimate.intensity), 1), top))


def _intensity_sentence(text: Catalogue, shown: Incident, label: str) -> str:
    if not label:
        return ""
    scale = shown.estimate.scale
    number = text(f"jma_number.{label}") if scale == "jma" else label
    name = text(f"intensity.{scale}", number=number)
    return text("intensity.here", class_name=name, word=text(f"{scale}.{label}"))


def _place(viewer: Viewer, shown: Incident) -> str:
    text, estimate = viewer.text, shown.estimate
    distance_km = estimate.epicentral_distance_km
    if distance_km < _HERE_KM:
        return text("place.here")
    way = text.way(distance_km, estimate.azimuth_deg, viewer.unit)
    name = _nearest_name(viewer.gazetteer, shown)
    return text("place.near", place=name, way=way) if name else text("place.away", way=way)


def _nearest_name(gazetteer: tuple[Site, ...], shown: Incident) -> str:
    if not gazetteer:
        return ""
    origin = shown.alert.message.origin
    distances = epicentral_distance_km(
        origin.lat, origin.lon, [s.lat for s in gazetteer], [s.lon for s in gazetteer]
    )
    index = int(distances.argmin())
    return gazetteer[index].name if float(distances[index]) <= _NEAR_KM else ""


def _event_notes(text: Catalogue, shown: Incident | None, phase: Phase) -> tuple[str, ...]:
    if shown is None:
        return ()
    notes = []
    if phase in (Phase.SHAKING_NOW, Phase.SHAKING_NOW_LIGHT) and shown.in_blind_zone:
        notes.append(text("note.blind_zone"))
    if phase in ACTIVE_PHASES and shown.alert.message.magnitude.lower_bound:
        notes.append(text("note.lower_bound"))
    drill = shown.alert.message.status is not Status.TEST
    notes.append(text("note.exercise" if drill else "note.test"))
    return tuple(notes)


def _others(text: Catalogue, n_others: int) -> tuple[str, ...]:
    return (text("note.others", count=n_others),) if n_others else ()


def _help(viewer: Viewer, facts: HelpFact) -> HelpBlock:
    text, nearest = viewer.text, facts.shelter
    rescue = facts.rescue.get(text.language) or facts.rescue.get("en", "")
    return HelpBlock(
        shelter_name=nearest.shelter.name if nearest else "",
        shelter_line=text("shelter.nearest", name=nearest.shelter.name) if nearest else "",
        shelter_way=text(
            "shelter.way", way=text.way(nearest.distance_km, nearest.azimuth_deg, viewer.unit)
        )
        if nearest
        else "",
        shelter_address=nearest.shelter.address if nearest else "",
        shelter_distance_km=nearest.distance_km if nearest else None,
        shelter_azimuth_deg=nearest.azimuth_deg if nearest else None,
        no_shelter="" if nearest else text("shelter.none"),
        generated=text("shelter.generated") if facts.generated else "",
        emergency=_contact_line(text, facts.contact("emergency")),
        medical=_contact_line(text, facts.contact("medical")),
        information=_contact_line(text, facts.contact("information"), named=True),
        rescue_title=text("rescue.title"),
        rescue=tuple(line for line in rescue.splitlines() if line),
        source=facts.source,
        version=facts.version,
    )


def _contact_line(text: Catalogue, contact: Contact | None, *, named: bool = False) -> str:
    """Return kind and number; for information lines the name says more than the kind."""
    if contact is None:
        return ""
    kind = text(f"contact.{contact.kind}")
    name = contact.name.get(text.language, "")
    if named and name:
        kind = name
    return text("contact.line", kind=kind, number=contact.number)
