"""A small scenario, quick to compute, and one line of it changed at a time."""

from __future__ import annotations

from simulator.scenario import Scenario, parse_scenario

SMALL = """
title = "A small quake"
region = "california"
country = "US"
languages = ["en", "es"]

[event]
id = "small"
origin_time = 2024-02-29T23:59:59.25Z
lat = 36.0
lon = -118.0
depth_km = 8.0
magnitude = 5.5
magnitude_type = "Mw"

[network]
spacing_km = 15.0
outer_spacing_km = 20.0
dense_radius_km = 10.0
radius_km = 35.0
sampling_rate_hz = 100.0
sensor = "force_balance"

[noise]
level = 0.5
spread = 0.2

[record]
before_s = 20.0
after_s = 40.0

[[site]]
name = "Town"
lat = 36.1
lon = -118.1
population = 1000

[[site]]
name = "City"
lat = 36.0
lon = -117.4
"""


def small(*changes: tuple[str, str]) -> Scenario:
    """Read the small scenario with pieces of its text replaced."""
    text = SMALL
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return parse_scenario(text.encode(), name="small", where="small.toml")
