"""Several stations at once say something that is no quake: the public hears nothing."""

from __future__ import annotations

import numpy as np
import pytest

from eew.model.waveform import Recording
from simulator.faults import garbage
from simulator.nuisance import boxcar, lightning, mass_motion, urban_burst
from simulator.seeds import rng
from tests.acceptance.failures.replay import (
    SEED,
    after_zero_ns,
    assert_no_alert,
    nearest,
    replay,
    zero_ns,
)


def test_the_quiet_network_is_quiet(quiet: Recording) -> None:
    """Without this, no test below would say anything."""
    heard = replay(quiet)

    assert_no_alert(heard)
    assert {state.state for state in heard.states.values()} == {"live"}


@pytest.mark.parametrize("turn", range(4))
def test_three_broken_links_a_faulty_sensor_and_a_lorry_raise_no_alert(
    quiet: Recording, turn: int
) -> None:
    """Carson City, 4 December 2025: EPIC's four stations were found among such five."""
    five = nearest(quiet, 5)
    moments_s = rng(SEED, "carson-city", turn).uniform(0.0, 3.0, size=5)
    moments_ns = [after_zero_ns(float(moment_s)) for moment_s in moments_s]
    recording = quiet
    for station, at_ns in zip(five[:3], moments_ns, strict=False):
        recording = garbage(recording, [station], at_ns=at_ns, lasts_s=10.0, seed=SEED + turn)
    recording = boxcar(recording, [five[3]], at_ns=moments_ns[3], lasts_s=5.0, share=0.01)
    recording = urban_burst(
        recording, [five[4]], at_ns=moments_ns[4], lasts_s=6.0, peak_mps2=0.05, seed=SEED + turn
    )

    assert_no_alert(replay(recording))


@pytest.mark.parametrize("lasts_s", [0.3, 4.0])
def test_telemetry_that_breaks_everywhere_at_once_raises_no_alert(
    quiet: Recording, lasts_s: float
) -> None:
    """A line hub fails: a third of the network sends garbage from the same moment on."""
    third = nearest(quiet, 20)
    assert_no_alert(replay(garbage(quiet, third, at_ns=zero_ns(), lasts_s=lasts_s, seed=SEED)))


@pytest.mark.parametrize("peak_mps2", [0.002, 0.02, 0.3])
def test_lightning_raises_no_alert(quiet: Recording, peak_mps2: float) -> None:
    """The jolt is there in the same instant everywhere: no wave is that fast."""
    assert_no_alert(replay(lightning(quiet, at_ns=zero_ns(), peak_mps2=peak_mps2, seed=SEED)))


def test_a_thunderstorm_raises_no_alert(quiet: Recording) -> None:
    recording = quiet
    for number, after_s in enumerate(np.cumsum(rng(SEED, "storm").uniform(0.5, 5.0, size=8))):
        recording = lightning(
            recording, at_ns=after_zero_ns(float(after_s)), peak_mps2=0.02, seed=SEED + number
        )

    assert_no_alert(replay(recording))


@pytest.mark.parametrize("lasts_s", [1.0, 5.0])
@pytest.mark.parametrize("peak_mps2", [0.02, 0.5])
def test_motion_of_the_whole_network_at_one_moment_raises_no_alert(
    quiet: Recording, peak_mps2: float, lasts_s: float
) -> None:
    """A broadcast lets all phones vibrate: one of Google's three false alerts."""
    assert_no_alert(
        replay(mass_motion(quiet, at_ns=zero_ns(), lasts_s=lasts_s, peak_mps2=peak_mps2, seed=SEED))
    )


def test_a_town_full_of_lorries_raises_no_alert(quiet: Recording) -> None:
    """Six neighbours shake one after the other within a few seconds, each by its own lorry."""
    recording = quiet
    moments_s = rng(SEED, "lorries").uniform(0.0, 8.0, size=6)
    for number, (station, moment_s) in enumerate(zip(nearest(quiet, 6), moments_s, strict=True)):
        recording = urban_burst(
            recording,
            [station],
            at_ns=after_zero_ns(float(moment_s)),
            lasts_s=8.0,
            peak_mps2=0.02,
            seed=SEED + number,
        )

    assert_no_alert(replay(recording))
