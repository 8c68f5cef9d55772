"""An M6.0 on a network that delivers badly: one alert, in time, about where and as large."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from eew.model.waveform import Recording, Truth
from simulator.delivery import (
    backlog,
    clock_offset,
    duplicates,
    gone,
    packet_loss,
    reordered,
)
from simulator.seeds import rng
from simulator.synthesise import Composition
from tests.acceptance.failures.replay import (
    SEED,
    Heard,
    after_zero_ns,
    assert_no_alert,
    assert_one_sound_alert,
    by_distance,
    nearest,
    replay,
)


def near_epicentre(m6: Composition, number: int) -> list[str]:
    truth = m6.truths[0]
    found = by_distance(m6.recording, lat=truth.lat, lon=truth.lon)
    return [station.code for station in found[:number]]


def test_an_m6_is_announced_soundly_when_nothing_is_wrong(m6_heard: Heard, m6_truth: Truth) -> None:
    assert_one_sound_alert(m6_heard, m6_truth, by_s=6.0, first_km=12.0, final_km=6.0)


# ---------------------------------------------------------------- clocks
@pytest.mark.parametrize("offset_s", [10.0, -10.0])
@pytest.mark.parametrize("where", ["anywhere", "near"])
def test_clocks_10_s_wrong_at_a_tenth_of_the_stations_do_no_harm(
    m6: Composition, m6_truth: Truth, unhindered_s: float, where: str, offset_s: float
) -> None:
    """``near``: among them two of the nearest four."""
    codes = near_epicentre(m6, len(m6.recording.stations))
    tenth = len(codes) // 10
    wrong = (
        codes[1:18:3][:tenth]
        if where == "near"
        else rng(SEED, "clocks").choice(codes, tenth, replace=False).tolist()
    )

    heard = replay(m6.recording, partial(clock_offset, stations=wrong, offset_s=offset_s))

    assert_one_sound_alert(heard, m6_truth, by_s=unhindered_s + 3.0)


def test_clocks_10_s_wrong_raise_no_alert_by_themselves(quiet: Recording) -> None:
    wrong = nearest(quiet, len(quiet.stations))[::10]
    assert_no_alert(replay(quiet, partial(clock_offset, stations=wrong, offset_s=10.0)))


# ---------------------------------------------------------------- outages
def test_a_backlog_after_an_outage_brings_no_second_alert(
    m6: Composition, m6_truth: Truth, unhindered_s: float
) -> None:
    """Twelve stations are cut off when P comes; half a minute later all of it comes at once."""
    cut = near_epicentre(m6, 24)[::2]
    outage = partial(
        backlog, stations=cut, from_ns=after_zero_ns(-10.0), until_ns=after_zero_ns(30.0)
    )

    heard = replay(m6.recording, outage)

    assert_one_sound_alert(heard, m6_truth, by_s=unhindered_s + 4.0)
    late = {problem.where.split("..")[0] for problem in heard.problems if problem.kind == "late"}
    assert late == set(cut), "what is too old is set aside and counted"


def test_a_backlog_of_noise_raises_no_alert(quiet: Recording) -> None:
    cut = nearest(quiet, 20)
    outage = partial(
        backlog, stations=cut, from_ns=after_zero_ns(-10.0), until_ns=after_zero_ns(20.0)
    )
    assert_no_alert(replay(quiet, outage))


@pytest.mark.parametrize("moment_s", [-5.0, 3.5, 6.0])
def test_half_of_the_network_gone_at_a_moment_does_not_stop_the_alert(
    m6: Composition, m6_truth: Truth, unhindered_s: float, moment_s: float
) -> None:
    """Before the quake, when the first P waves are in, and just after the alert."""
    half = near_epicentre(m6, len(m6.recording.stations))[::2]

    heard = replay(m6.recording, partial(gone, stations=half, from_ns=after_zero_ns(moment_s)))

    assert_one_sound_alert(heard, m6_truth, by_s=unhindered_s + 4.0)


# ---------------------------------------------------------------- packets
@pytest.mark.parametrize("turn", range(2))
def test_a_third_of_all_packets_lost_does_not_stop_the_alert(
    m6: Composition, m6_truth: Truth, unhindered_s: float, turn: int
) -> None:
    heard = replay(m6.recording, partial(packet_loss, share=0.3, seed=SEED + turn))

    assert_one_sound_alert(heard, m6_truth, by_s=unhindered_s + 3.0)


def test_a_third_of_all_packets_lost_makes_no_quake_out_of_noise(quiet: Recording) -> None:
    assert_no_alert(replay(quiet, partial(packet_loss, share=0.3, seed=SEED)))


@pytest.mark.parametrize("packet_s", [1.0, 2.0, 4.0])
def test_longer_packets_cost_no_more_than_their_length(
    m6: Composition, m6_truth: Truth, unhindered_s: float, packet_s: float
) -> None:
    heard = replay(m6.recording, packet_s=packet_s)

    assert_one_sound_alert(heard, m6_truth, by_s=unhindered_s + packet_s + 0.5)


def test_packets_out_of_order_do_no_harm(
    m6: Composition, m6_truth: Truth, unhindered_s: float
) -> None:
    heard = replay(m6.recording, partial(reordered, share=0.3, most_s=1.5, seed=SEED))

    assert_one_sound_alert(heard, m6_truth, by_s=unhindered_s + 2.0)


def test_packets_that_come_twice_change_nothing(m6: Composition, m6_heard: Heard) -> None:
    once = m6_heard
    twice = replay(m6.recording, partial(duplicates, share=0.5, most_s=2.0, seed=SEED))

    assert [p.time_ns for p in twice.picks] == [p.time_ns for p in once.picks]
    assert [m.magnitude for m in twice.messages] == [m.magnitude for m in once.messages]
    assert np.isclose(
        [m.origin.lat for m in twice.messages], [m.origin.lat for m in once.messages]
    ).all()
