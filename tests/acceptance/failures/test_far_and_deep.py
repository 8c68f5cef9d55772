"""Waves from below: far quakes are none of ours, deep ones are, and are known to be deep."""

from __future__ import annotations

from pathlib import Path

import pytest

from eew.ingest import read_quake_folder
from eew.model.waveform import Recording
from simulator.ruptures import Quake
from simulator.teleseism import WaveTrain, teleseism
from tests.acceptance.failures.replay import (
    LAT,
    LON,
    SEED,
    Heard,
    assert_no_alert,
    assert_one_sound_alert,
    computed,
    replay,
    told,
    zero_ns,
)


@pytest.mark.parametrize("displacement_m", [0.0005, 0.002])
@pytest.mark.parametrize("velocity_kms", [8.5, 13.0, 20.0])
def test_the_wave_train_of_a_far_quake_raises_no_alert(
    velocity_kms: float, displacement_m: float
) -> None:
    noise = computed(before_s=25.0, after_s=65.0).recording
    train = WaveTrain(
        apparent_velocity_kms=velocity_kms,
        backazimuth_deg=70.0,
        peak_displacement_m=displacement_m,
    )

    heard = replay(teleseism(noise, train, at_ns=zero_ns(), seed=SEED))

    assert_no_alert(heard)
    if displacement_m > 0.001:
        assert len(heard.picks) + len(heard.rejected) >= 10, "strong enough to be taken for more"


@pytest.mark.quakes
def test_the_recorded_m8_at_4500_km_raises_no_alert(quakes_dir: Path) -> None:
    recording = read_quake_folder(quakes_dir / "tele20150916_m83_illapel_farfield")
    assert_no_alert(replay(recording))


def deepest_told_km(heard: Heard) -> float:
    """Depth of the last message."""
    return heard.messages[-1].origin.depth_km


@pytest.mark.quakes
@pytest.mark.slow
def test_the_recorded_quake_103_km_deep_is_one_event_and_known_to_be_deep(
    quakes_dir: Path,
) -> None:
    recording = read_quake_folder(quakes_dir / "cl20180124_m54_tarapaca_deep")
    truth = recording.truth
    assert truth is not None

    heard = replay(recording, until_s=90.0)

    assert_one_sound_alert(
        heard, truth, by_s=24.0, first_km=60.0, final_km=30.0, magnitude=0.6, over=0.8
    )
    assert deepest_told_km(heard) == pytest.approx(truth.depth_km, abs=40.0), told(heard)


@pytest.fixture(scope="module")
def deep() -> Recording:
    below = Quake(lat=LAT + 0.05, lon=LON - 0.07, depth_km=150.0, magnitude=6.3)
    return computed(below, before_s=15.0, after_s=70.0).recording


def test_a_quake_150_km_deep_under_the_network_is_one_event_and_known_to_be_deep(
    deep: Recording,
) -> None:
    truth = deep.truth
    assert truth is not None

    heard = replay(deep)

    assert_one_sound_alert(
        heard, truth, by_s=27.0, first_km=40.0, final_km=20.0, magnitude=0.6, over=0.6
    )
    assert deepest_told_km(heard) == pytest.approx(truth.depth_km, abs=40.0), told(heard)
