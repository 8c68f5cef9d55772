from __future__ import annotations

import math
import statistics

import pytest

from eew.errors import ConfigError
from simulator.link import LinkDelay

STATIONS = [f"XX.S{n:04d}" for n in range(4000)]


def test_delays_are_log_normal_around_the_median() -> None:
    link = LinkDelay(median_s=0.3, seed=11)
    delays_s = [link.delay_ns(station) / 1e9 for station in STATIONS]

    logs = [math.log(delay) for delay in delays_s]
    assert statistics.median(delays_s) == pytest.approx(0.3, rel=0.03)
    assert statistics.stdev(logs) == pytest.approx(0.35, rel=0.05)
    assert min(delays_s) > 0.05
    assert max(delays_s) <= 1.2


def test_the_median_scales_every_delay_alike() -> None:
    one, four = LinkDelay(median_s=0.5, seed=2), LinkDelay(median_s=2.0, seed=2)

    for station in STATIONS[:50]:
        assert four.delay_ns(station) == pytest.approx(4 * one.delay_ns(station), abs=4)


def test_a_station_keeps_its_delay_and_a_seed_changes_it() -> None:
    link = LinkDelay(seed=1)

    assert link.delay_ns("XX.A") == link.delay_ns("XX.A") == LinkDelay(seed=1).delay_ns("XX.A")
    assert link.delay_ns("XX.A") != link.delay_ns("XX.B")
    assert link.delay_ns("XX.A") != LinkDelay(seed=2).delay_ns("XX.A")


def test_zero_is_no_delay_at_all() -> None:
    assert {LinkDelay(median_s=0.0).delay_ns(station) for station in STATIONS[:20]} == {0}


def test_a_fixed_delay_is_the_same_for_all() -> None:
    assert {LinkDelay.fixed(1.25).delay_ns(s) for s in STATIONS[:20]} == {1_250_000_000}


def test_no_delay_exceeds_four_medians() -> None:
    link = LinkDelay(median_s=1.0, sigma_ln=3.0)

    assert max(link.delay_ns(station) for station in STATIONS) == 4_000_000_000


@pytest.mark.parametrize("median_s", [-0.1, 60.1, math.nan, math.inf])
def test_a_median_out_of_range_is_refused(median_s: float) -> None:
    with pytest.raises(ConfigError, match=r"delay: must be 0 to 60 s, was"):
        LinkDelay(median_s=median_s)


@pytest.mark.parametrize("sigma_ln", [-1.0, math.nan, math.inf])
def test_a_spread_out_of_range_is_refused(sigma_ln: float) -> None:
    with pytest.raises(ConfigError, match="sigma_ln"):
        LinkDelay(sigma_ln=sigma_ln)
