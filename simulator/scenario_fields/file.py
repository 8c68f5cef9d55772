"""A scenario file as a whole: its tables by name."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from simulator.fault_fields import Fault
from simulator.fields import Country, Language, Table
from simulator.link_fields import LinkSpec
from simulator.scenario_fields.expectation import Expectation
from simulator.scenario_fields.people import DevicesSpec, HelpSpec, SiteSpec
from simulator.scenario_fields.quakes import AftershocksSpec, EventSpec, SourceSpec
from simulator.scenario_fields.stations import NetworkSpec, NoiseSpec, RecordSpec

__all__ = [
    "COMPUTED_NEEDS",
    "ScenarioFile",
]

# what a file must have that computes a quake
COMPUTED_NEEDS = ("region", "country", "languages", "event", "network")


class ScenarioFile(Table, frozen=True, kw_only=True):
    """A scenario: a computed quake and what goes wrong, or a script laid over a recorded one.

    Attributes
    ----------
    title : str
        One line for people.
    recorded : str or None
        Folder of a recorded quake, counted from the folder of this file. Then region, event,
        source, aftershocks, network, noise and record have no place here.
    region : str or None
        Table of ``eew/tables/attenuation.toml``: how waves fade there.
    country : str or None
        ISO 3166-1 alpha-2; chooses the help pack.
    languages : tuple of str
        Spoken there, the first one by most.
    event : EventSpec or None
        The quake.
    source : tuple of SourceSpec
        Further quakes.
    aftershocks : tuple of AftershocksSpec
        Storms of quakes.
    network : NetworkSpec or None
        The stations.
    noise : NoiseSpec
        What they hear without a quake.
    record : RecordSpec
        How long they record.
    link : LinkSpec
        The way to the detector.
    fault : tuple of Fault
        What goes wrong, by ``kind``.
    devices : DevicesSpec
        Phones and televisions.
    site : tuple of SiteSpec
        Towns.
    help : HelpSpec or None
        Help packs.
    expect : Expectation or None
        What must come out.
    """

    title: Annotated[str, Meta(min_length=1)]
    recorded: Annotated[str, Meta(min_length=1)] | None = None
    region: str | None = None
    country: Country | None = None
    languages: tuple[Language, ...] = ()
    event: EventSpec | None = None
    source: tuple[SourceSpec, ...] = ()
    aftershocks: tuple[AftershocksSpec, ...] = ()
    network: NetworkSpec | None = None
    noise: NoiseSpec = NoiseSpec()
    record: RecordSpec = RecordSpec()
    link: LinkSpec = LinkSpec()
    fault: tuple[Fault, ...] = ()
    devices: DevicesSpec = DevicesSpec()
    site: tuple[SiteSpec, ...] = ()
    help: HelpSpec | None = None
    expect: Expectation | None = None
