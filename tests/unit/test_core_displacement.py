"""GNSS displacement: what a receiver keeps, and what a network of them says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eew.core.displacement import Displacement, GnssNetwork, Receiver, pgd_evidence
from eew.core.pipeline import Pipeline
from eew.core.source_growth import reached
from eew.model.waveform import Channel, Component, Packet, SensorKind, Station, StreamId
from eew.physics.geo import destination
from eew.physics.traveltime import TravelTimes
from tests.unit.core_cases import config

SETTINGS = config().magnitude
COUNTS_PER_M = 1e4
ORIGIN_NS = 1_700_000_000_000_000_000
NS = 1_000_000_000
LAT, LON, DEPTH_KM = -31.6, -71.7, 20.0


def receiver(code: str, lat: float, lon: float) -> Station:
    return Station(
        code=f"XX.{code}",
        lat=lat,
        lon=lon,
        elevation_m=0.0,
        channels=tuple(
            Channel(
                stream_id=StreamId("XX", code, "", f"LX{letter}"),
                component=component,
                kind=SensorKind.DISPLACEMENT,
                sensitivity=COUNTS_PER_M,
                sampling_rate_hz=1.0,
            )
            for letter, component in zip("ZNE", Component, strict=True)
        ),
    )


def packets(station: Station, moved_m: np.ndarray, start_ns: int) -> list[Packet]:
    """One packet per component and second; ``moved_m`` has shape (3, n)."""
    return [
        Packet(
            stream_id=channel.stream_id,
            start_ns=start_ns + k * NS,
            sampling_rate_hz=1.0,
            samples=np.array([round(moved_m[c, k] * COUNTS_PER_M)], dtype=np.int32),
        )
        for k in range(moved_m.shape[1])
        for c, channel in enumerate(station.channels)
    ]


def step(at_s: int, n: int, size_m: tuple[float, float, float], wander_m: float) -> np.ndarray:
    moved = np.array([[0.2], [-0.1], [0.05]]) * np.ones((1, n))  # receivers start anywhere
    moved += wander_m * np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    moved[:, at_s:] += np.array(size_m)[:, None]
    return moved


def test_a_peak_is_the_vector_against_the_mean_before() -> None:
    station = receiver("AAAA", LAT, LON)
    one = Receiver(station, 600.0)
    for packet in packets(station, step(20, 60, (0.1, 0.2, 0.2), 0.001), ORIGIN_NS):
        one.receive(packet)
    found = one.peak(ORIGIN_NS + 15 * NS, SETTINGS)

    assert found is not None
    assert found[0] == pytest.approx(0.3, abs=0.003)
    assert found[1] == pytest.approx(math.sqrt(3.0) * 0.001, rel=0.05)


def test_order_and_repetition_of_packets_change_nothing() -> None:
    station = receiver("AAAA", LAT, LON)
    case = packets(station, step(20, 60, (0.1, 0.2, 0.2), 0.001), ORIGIN_NS)
    plain, mixed = Receiver(station, 600.0), Receiver(station, 600.0)
    for packet in case:
        plain.receive(packet)
    for packet in [*case[::-1], *case[::7]]:
        mixed.receive(packet)

    assert plain.peak(ORIGIN_NS + 15 * NS, SETTINGS) == mixed.peak(ORIGIN_NS + 15 * NS, SETTINGS)


def test_without_samples_before_or_after_there_is_no_peak() -> None:
    station = receiver("AAAA", LAT, LON)
    one = Receiver(station, 600.0)
    assert one.peak(ORIGIN_NS, SETTINGS) is None
    for packet in packets(station, step(20, 40, (0.1, 0.2, 0.2), 0.001), ORIGIN_NS):
        one.receive(packet)

    assert one.peak(ORIGIN_NS + (SETTINGS.pgd_before_samples - 1) * NS, SETTINGS) is None
    assert one.peak(ORIGIN_NS + 41 * NS, SETTINGS) is None
    assert one.peak(ORIGIN_NS + SETTINGS.pgd_before_samples * NS, SETTINGS) is not None


def test_only_the_last_minutes_are_kept() -> None:
    station = receiver("AAAA", LAT, LON)
    one = Receiver(station, 30.0)
    for packet in packets(station, step(0, 100, (0.0, 0.0, 0.0), 0.001), ORIGIN_NS):
        one.receive(packet)

    assert one.newest_ns() == ORIGIN_NS + 99 * NS
    assert one.peak(ORIGIN_NS + 60 * NS, SETTINGS) is None
    assert one.peak(ORIGIN_NS + 80 * NS, SETTINGS) is not None


def seen(magnitude: float, distance_km: float, *, noise_m: float = 0.005) -> Displacement:
    """Crowell et al. (2016) solved for displacement."""
    log_cm = -6.687 + 1.5 * magnitude - 0.214 * magnitude * math.log10(distance_km)
    return Displacement(
        station=f"XX.{distance_km:.0f}",
        hypocentral_distance_km=distance_km,
        since_s_s=150.0,
        pgd_m=0.01 * 10.0**log_cm,
        noise_m=noise_m,
    )


@pytest.mark.parametrize("magnitude", [7.3, 7.8, 8.3, 9.0])
def test_peaks_give_the_magnitude_back_and_do_not_saturate(magnitude: float) -> None:
    found = pgd_evidence([seen(magnitude, d) for d in (80.0, 110.0, 160.0, 200.0)], SETTINGS)

    assert found is not None
    assert found.name == "pgd"
    assert reached(found.log_likelihood) == pytest.approx(magnitude, abs=0.051)


def test_the_golden_value_of_crowell_2016() -> None:
    fifty_cm = Displacement(
        station="XX.A",
        hypocentral_distance_km=100.0,
        since_s_s=150.0,
        pgd_m=0.5,
        noise_m=0.005,
    )
    found = pgd_evidence([fifty_cm] * 3, SETTINGS)

    assert found is not None
    assert reached(found.log_likelihood) == pytest.approx(7.823, abs=0.03)


def test_what_is_small_noisy_or_alone_says_nothing() -> None:
    good = [seen(7.5, d) for d in (80.0, 110.0, 160.0)]

    assert pgd_evidence(good, SETTINGS) is not None
    assert pgd_evidence(good[:2], SETTINGS) is None
    noisy = seen(7.5, 80.0, noise_m=good[0].pgd_m / 4.0)
    assert pgd_evidence([noisy, *good[1:]], SETTINGS) is None
    assert pgd_evidence([seen(5.5, d) for d in (80.0, 110.0, 160.0)], SETTINGS) is None


def test_one_cycle_slip_does_not_decide() -> None:
    good = [seen(7.5, d) for d in (80.0, 110.0, 160.0, 200.0)]
    slipped = Displacement(
        station="XX.Z",
        hypocentral_distance_km=90.0,
        since_s_s=150.0,
        pgd_m=10.0,
        noise_m=0.005,
    )
    found = pgd_evidence([*good, slipped], SETTINGS)

    assert found is not None
    assert reached(found.log_likelihood) == pytest.approx(7.5, abs=0.3)


def gnss() -> tuple[Station, ...]:
    return tuple(
        receiver(name, *(float(x) for x in destination(LAT, LON, azimuth, 110.0)))
        for name, azimuth in (("AAAA", 20.0), ("BBBB", 80.0), ("CCCC", 140.0))
    )


def test_a_network_of_receivers_knows_its_arrivals() -> None:
    times = TravelTimes.load()
    network = GnssNetwork(gnss(), times, SETTINGS, keep_s=480.0)
    assert network.evidence(LAT, LON, DEPTH_KM, ORIGIN_NS) == ()
    s_s = float(times.s_s(110.0, DEPTH_KM))
    for station in gnss():
        moved = step(30 + round(s_s) + 1, 220, (0.2, 0.6, 0.3), 0.002)
        for packet in packets(station, moved, ORIGIN_NS - 30 * NS):
            assert network.owns(packet.stream_id)
            network.receive(packet)
    (found,) = network.evidence(LAT, LON, DEPTH_KM, ORIGIN_NS)

    assert found.n_stations == 3
    assert not found.is_lower_bound
    assert 7.8 < reached(found.log_likelihood) < 8.1


def test_receivers_beside_seismometers_do_not_reach_the_picker() -> None:
    seismometer = Station(
        code="XX.AAAA",
        lat=LAT,
        lon=LON,
        elevation_m=0.0,
        channels=(
            Channel(
                stream_id=StreamId("XX", "AAAA", "", "HNZ"),
                component=Component.VERTICAL,
                kind=SensorKind.ACCELERATION,
                sensitivity=1e5,
                sampling_rate_hz=100.0,
            ),
        ),
    )
    pipeline = Pipeline([seismometer], config(), gnss=gnss())
    events = []
    for packet in packets(gnss()[0], step(20, 60, (5.0, 5.0, 5.0), 0.001), ORIGIN_NS):
        events += pipeline.receive([packet], packet.end_ns + NS // 2)

    assert events == []
    assert pipeline.problems() == []
    assert pipeline.station_states(ORIGIN_NS + 60 * NS)[0].n_packets == 0
