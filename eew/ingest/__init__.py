"""Adapters that bring data in: recorded quakes, help packs."""

from eew.ingest.obspy_adapter import recording_from_obspy
from eew.ingest.quake_folder import read_quake_folder
from eew.ingest.writer import stationxml, write_quake_folder

__all__ = ["read_quake_folder", "recording_from_obspy", "stationxml", "write_quake_folder"]
