"""The tables of a scenario file as types: what a field is called and what it may be."""

from __future__ import annotations

from simulator.scenario_fields.expectation import Expectation
from simulator.scenario_fields.file import COMPUTED_NEEDS, ScenarioFile
from simulator.scenario_fields.people import DevicesSpec, HelpSpec, SiteSpec
from simulator.scenario_fields.quakes import AftershocksSpec, EventSpec, SourceSpec, utc_ns
from simulator.scenario_fields.rupture import FaultSpec, LineSpec
from simulator.scenario_fields.stations import NetworkSpec, NoiseSpec, RecordSpec

__all__ = [
    "COMPUTED_NEEDS",
    "AftershocksSpec",
    "DevicesSpec",
    "EventSpec",
    "Expectation",
    "FaultSpec",
    "HelpSpec",
    "LineSpec",
    "NetworkSpec",
    "NoiseSpec",
    "RecordSpec",
    "ScenarioFile",
    "SiteSpec",
    "SourceSpec",
    "utc_ns",
]
