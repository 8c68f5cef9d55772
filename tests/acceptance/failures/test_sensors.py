"""One sensor lies: nothing comes of it, neither an alert nor a part in anybody's magnitude."""

from __future__ import annotations

import pytest

from eew.model.waveform import Recording
from eew.physics.geo import epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from simulator.faults import noise_dropout, reversed_polarity, stuck, wrong_gain
from simulator.nuisance import (
    boxcar,
    calibration_sine,
    calibration_step,
    noisy_ground,
    recentering_pulse,
    spike,
)
from tests.acceptance.failures.replay import (
    LAT,
    LON,
    NS_PER_S,
    SEED,
    Heard,
    after_zero_ns,
    assert_no_alert,
    by_distance,
    computed,
    nearest,
    quake,
    replay,
    zero_ns,
)


def contributions(heard: Heard, station: str) -> list[str]:
    """Solutions in whose magnitude a station has a part."""
    return [
        f"{s.event_id} M{s.magnitude:.1f} at {(s.at_ns - zero_ns()) / NS_PER_S:+.1f} s"
        for s in heard.solutions
        if any(m.station == station for m in s.station_magnitudes)
    ]


@pytest.mark.parametrize("lasts_s", [2.0, 10.0, 30.0])
def test_a_sensor_whose_noise_drops_out_and_comes_back_during_a_small_quake_counts_for_nothing(
    lasts_s: float,
) -> None:
    """Nara, 8 August 2013: M2.3, and a sensor in the sea far away; a warning of M7.8."""
    small = quake(2.3)
    recording = computed(small, before_s=40.0, after_s=30.0).recording
    sensor = by_distance(recording, lat=small.lat, lon=small.lon)[25]
    distance_km = epicentral_distance_km(small.lat, small.lon, sensor.lat, sensor.lon)
    p_s = float(TravelTimes.load().p_s(distance_km, small.depth_km))
    # the noise comes back when the quake's P wave would be there: the worst moment
    recording = noise_dropout(
        noisy_ground(recording, [sensor.code], rms_mps2=0.003, seed=SEED),
        [sensor.code],
        at_ns=after_zero_ns(p_s - lasts_s),
        lasts_s=lasts_s,
    )

    heard = replay(recording)

    assert_no_alert(heard)
    assert contributions(heard, sensor.code) == []


def test_the_motors_of_recentring_sensors_raise_no_alert(quiet: Recording) -> None:
    """One command to five neighbours, a second apart: as a P wave would pass them."""
    recording = quiet
    for number, station in enumerate(nearest(quiet, 5)):
        recording = recentering_pulse(recording, [station], at_ns=after_zero_ns(1.0 * number))

    assert_no_alert(replay(recording))


@pytest.mark.parametrize("share", [0.001, 0.1, 1.0])
def test_sensors_recentred_by_one_command_raise_no_alert(quiet: Recording, share: float) -> None:
    everywhere = nearest(quiet, len(quiet.stations))
    assert_no_alert(replay(recentering_pulse(quiet, everywhere, at_ns=zero_ns(), share=share)))


@pytest.mark.parametrize("frequency_hz", [0.2, 1.0, 5.0])
def test_a_calibration_with_a_sine_raises_no_alert(quiet: Recording, frequency_hz: float) -> None:
    """All stations in a row, half a second apart, as a network's nightly job does it."""
    recording = quiet
    for number, station in enumerate(nearest(quiet, 12)):
        recording = calibration_sine(
            recording,
            [station],
            at_ns=after_zero_ns(0.5 * number),
            lasts_s=15.0,
            frequency_hz=frequency_hz,
            share=0.01,
        )

    assert_no_alert(replay(recording))


@pytest.mark.parametrize("share", [0.0005, 0.05])
def test_a_calibration_with_steps_raises_no_alert(quiet: Recording, share: float) -> None:
    recording = quiet
    for number, station in enumerate(nearest(quiet, 12)):
        recording = calibration_step(
            recording, [station], at_ns=after_zero_ns(0.5 * number), lasts_s=10.0, share=share
        )

    assert_no_alert(replay(recording))


@pytest.mark.parametrize("share", [0.0005, 0.05])
def test_boxcars_at_neighbouring_stations_raise_no_alert(quiet: Recording, share: float) -> None:
    recording = quiet
    for number, station in enumerate(nearest(quiet, 6)):
        recording = boxcar(
            recording, [station], at_ns=after_zero_ns(0.7 * number), lasts_s=3.0, share=share
        )

    assert_no_alert(replay(recording))


@pytest.mark.parametrize("share", [0.0005, 0.5])
def test_spikes_at_neighbouring_stations_raise_no_alert(quiet: Recording, share: float) -> None:
    recording = quiet
    for number, station in enumerate(nearest(quiet, 8)):
        recording = spike(recording, [station], at_ns=after_zero_ns(0.5 * number), share=share)

    assert_no_alert(replay(recording))


@pytest.mark.parametrize("lasts_s", [3.0, 20.0])
def test_values_that_stick_and_come_loose_raise_no_alert(quiet: Recording, lasts_s: float) -> None:
    recording = quiet
    for number, station in enumerate(nearest(quiet, 6)):
        recording = stuck(
            recording, [station], at_ns=after_zero_ns(0.7 * number - lasts_s), lasts_s=lasts_s
        )

    assert_no_alert(replay(recording))


def test_a_gain_a_thousand_times_too_large_does_not_turn_noise_into_a_quake(
    quiet: Recording,
) -> None:
    assert_no_alert(replay(wrong_gain(quiet, nearest(quiet, 1), 1000.0)))


@pytest.mark.parametrize("rank", [0, 1, 4])
def test_a_gain_a_thousand_times_too_large_does_not_turn_a_small_quake_into_a_large_one(
    rank: int,
) -> None:
    """M3.0: below what is announced; one of its stations shows a thousand times the motion."""
    small = quake(3.0)
    recording = computed(small, before_s=15.0, after_s=30.0).recording
    station = by_distance(recording, lat=small.lat, lon=small.lon)[rank].code

    heard = replay(wrong_gain(recording, [station], 1000.0))

    assert_no_alert(heard)
    assert heard.picks, "the quake is large enough to be picked"


def test_polarity_does_not_matter_to_noise(quiet: Recording) -> None:
    assert_no_alert(replay(reversed_polarity(quiet, nearest(quiet, 5, lat=LAT, lon=LON))))
