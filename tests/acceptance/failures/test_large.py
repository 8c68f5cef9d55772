"""Ruptures that grow: the magnitude follows to the end, and the far end is told in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from clients.locality import estimate_here
from eew.ingest import read_quake_folder
from eew.model.waveform import Component, Recording, Station, Truth
from eew.physics.geo import epicentral_distance_km
from eew.physics.shaking import shaking_model_at
from eew.tables import load_table
from simulator.network import build_network
from simulator.ruptures import Rupture, line_rupture
from simulator.synthesise import Composition, compose
from tests.acceptance.failures.replay import (
    LAT,
    LON,
    SEED,
    Heard,
    assert_nothing_elsewhere,
    computed,
    late_s,
    place,
    replay,
    scenario,
    told,
)


def told_at(heard: Heard, truth: Truth, after_s: float) -> float:
    """Largest magnitude that stands for the public so long after the origin."""
    standing = [
        [m for m in messages if late_s(m, truth) <= after_s] for messages in heard.alerted.values()
    ]
    return max((before[-1].magnitude.value for before in standing if before), default=-np.inf)


def longest_stuck_s(heard: Heard, truth: Truth, *, below: float, until_s: float) -> float:
    """Longest time that a message stood unchanged while it was still below a magnitude."""
    (messages,) = heard.alerted.values()
    longest_s = 0.0
    for message, following in zip(messages, [*messages[1:], None], strict=True):
        end_s = until_s if following is None else min(late_s(following, truth), until_s)
        if message.magnitude.value < below:
            longest_s = max(longest_s, end_s - late_s(message, truth))
    return longest_s


# ---------------------------------------------------------------- Pazarcik
@pytest.fixture(scope="module")
def pazarcik(quakes_dir: Path) -> Recording:
    return read_quake_folder(quakes_dir / "tr20230206_m78_pazarcik")


@pytest.fixture(scope="module")
def pazarcik_heard(pazarcik: Recording) -> Heard:
    return replay(pazarcik, until_s=100.0)


@pytest.mark.quakes
@pytest.mark.slow
def test_pazarcik_grows_to_its_size_and_does_not_stick(
    pazarcik: Recording, pazarcik_heard: Heard
) -> None:
    """The first public estimates of a phone network were M4.5 to 4.9, and stayed there."""
    truth, heard = pazarcik.truth, pazarcik_heard
    assert truth is not None

    assert len(heard.alerted) == 1, told(heard)
    assert told_at(heard, truth, 25.0) >= 7.0, told(heard)
    assert told_at(heard, truth, 100.0) >= 7.4, told(heard)
    assert longest_stuck_s(heard, truth, below=7.0, until_s=100.0) <= 10.0, told(heard)


@pytest.mark.quakes
@pytest.mark.slow
def test_gaziantep_is_told_to_act_within_10_s_of_the_rupture_of_pazarcik(
    pazarcik: Recording, pazarcik_heard: Heard
) -> None:
    """A phone network told hardly anybody to act; its authors' repetition would have told 10 M."""
    truth = pazarcik.truth
    assert truth is not None
    act = float(load_table("levels")["mmi"]["take_action"])

    when_ns = expected_ns(pazarcik_heard, 37.066, 37.383, act)

    assert when_ns is not None, told(pazarcik_heard)
    # the catalogue's origin is 1.5 to 2 s early
    assert (when_ns - truth.origin_time_ns) / 1e9 <= 10.0 + 2.0, told(pazarcik_heard)


# ---------------------------------------------------------------- a computed rupture that grows
GROWING_PARTS = (1.0, 10.0, 60.0, 200.0, 300.0, 200.0, 100.0)  # shares of moment


@pytest.fixture(scope="module")
def growing() -> Composition:
    """M7.5 that begins like an M5.5: seven parts over 72 km, each larger than the last at first."""
    lat, lon = place(30.0, 225.0)
    rupture = line_rupture(
        lat=lat,
        lon=lon,
        depth_km=10.0,
        magnitude=7.5,
        strike_deg=45.0,
        length_km=72.0,
        velocity_kms=2.8,
        weights=GROWING_PARTS,
    )
    return computed(rupture, before_s=15.0, after_s=75.0)


def test_a_rupture_that_begins_small_is_followed_to_its_end(growing: Composition) -> None:
    truth = growing.truths[0]

    heard = replay(growing.recording)

    assert len(heard.alerted) == 1, told(heard)
    assert told_at(heard, truth, 8.0) >= 5.0, told(heard)
    # the last part goes off 26 s after the origin
    assert told_at(heard, truth, 30.0) >= 6.9, told(heard)
    assert told_at(heard, truth, 75.0) >= 7.1, told(heard)
    assert longest_stuck_s(heard, truth, below=6.9, until_s=75.0) <= 10.0, told(heard)
    assert max(m.magnitude.value for m in heard.messages) <= 7.5 + 0.6, told(heard)


# ---------------------------------------------------------------- like Tohoku
STRIKE_DEG = 180.0
LENGTH_KM = 500.0


@pytest.fixture(scope="module")
def giant() -> tuple[Composition, Rupture]:
    """M9.0 on 500 km off a coast: breaks from the north to the south in 200 s, ends far away."""
    lat, lon = place(225.0, 0.0)
    rupture = line_rupture(
        lat=lat,
        lon=lon,
        depth_km=20.0,
        magnitude=9.0,
        strike_deg=STRIKE_DEG,
        length_km=LENGTH_KM,
        velocity_kms=2.5,
        weights=np.ones(12).tolist(),
        begins_at=0.05,
    )
    wide = scenario(before_s=15.0, after_s=240.0, spacing_km=36.0, radius_km=330.0, rate_hz=50.0)
    stations = tuple(
        s
        for s in build_network(wide, SEED, 760.0)
        if -1.7 < s.lon - LON < -0.5 and abs(s.lat - LAT) < 2.5
    )
    return compose(wide, (rupture,), SEED, network=stations), rupture


@pytest.fixture(scope="module")
def giant_heard(giant: tuple[Composition, Rupture]) -> Heard:
    return replay(giant[0].recording)


@pytest.mark.slow
def test_the_magnitude_of_a_500_km_rupture_is_not_capped_below_8(
    giant: tuple[Composition, Rupture], giant_heard: Heard
) -> None:
    truth = giant[0].truths[0]
    assert told_at(giant_heard, truth, 60.0) >= 7.5, told(giant_heard)
    assert told_at(giant_heard, truth, 240.0) >= 8.0, told(giant_heard)


@pytest.mark.slow
def test_a_500_km_rupture_is_one_event(
    giant: tuple[Composition, Rupture], giant_heard: Heard
) -> None:
    """Its later parts are far from the hypocentre, but nobody may see a quake off the fault."""
    composition, rupture = giant
    assert len(giant_heard.alerted) == 1, told(giant_heard)
    assert_nothing_elsewhere(giant_heard, composition.truths, within_km=100.0)
    assert len(rupture.parts) == 12


@pytest.mark.slow
def test_the_far_end_of_a_500_km_rupture_is_told_to_act_before_it_shakes(
    giant: tuple[Composition, Rupture], giant_heard: Heard
) -> None:
    """Kanto, 2011: five prefectures near the hypocentre were warned, the far end was not."""
    composition, rupture = giant
    end = max(rupture.parts, key=lambda part: part.after_s)
    recording = composition.recording
    act = float(load_table("levels")["mmi"]["take_action"])
    far = [
        s
        for s in recording.stations
        if epicentral_distance_km(end.lat, end.lon, s.lat, s.lon) < 130.0
    ]
    assert len(far) >= 4
    shaken = 0
    for station in far:
        strong_ns = reaches_ns(recording, station, act + 1.0)
        if strong_ns is None:
            continue
        shaken += 1
        expected = expected_ns(giant_heard, station.lat, station.lon, act)
        assert expected is not None, f"{station.code} was never told {told(giant_heard)}"
        assert expected < strong_ns, f"{station.code} was told late {told(giant_heard)}"
    assert shaken >= 3, "the far end does shake"


def reaches_ns(recording: Recording, station: Station, intensity: float) -> int | None:
    """When the record of a station first reaches an intensity, UTC ns."""
    channels = {c.stream_id: c for c in station.channels if c.component != Component.VERTICAL}
    largest: list[np.ndarray] = []
    start_ns, rate_hz = 0, 1.0
    for segment in recording.segments:
        channel = channels.get(segment.stream_id)
        if channel is None:
            continue
        start_ns, rate_hz = segment.start_ns, segment.sampling_rate_hz
        high = butter(2, 0.075, "highpass", fs=rate_hz, output="sos")
        counts = segment.samples - np.mean(segment.samples[: round(5.0 * rate_hz)])
        motion = sosfilt(high, counts / channel.sensitivity)
        velocity = sosfilt(high, np.cumsum(motion) / rate_hz)
        model = shaking_model_at(station.lat, station.lon)
        largest.append(
            model.observed_intensity(
                np.maximum.accumulate(np.abs(motion)), np.maximum.accumulate(np.abs(velocity))
            )
        )
    reached = np.flatnonzero(np.max(largest, axis=0) >= intensity)
    return None if reached.size == 0 else start_ns + round(reached[0] / rate_hz * 1e9)


def expected_ns(heard: Heard, lat: float, lon: float, intensity: float) -> int | None:
    """When a message first let a device at a place expect an intensity, UTC ns."""
    for message in heard.messages:
        if estimate_here(message, lat, lon).intensity >= intensity:
            return message.issued_ns
    return None
