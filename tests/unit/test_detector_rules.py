"""Location, association, magnitude and the alert life cycle, each on its own."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eew.core.associate import Associator
from eew.core.config import DetectorConfig
from eew.core.event_state import TrackedPick
from eew.core.lifecycle import AlertLifecycle
from eew.core.locate import Located, Locator, Observed, Silent
from eew.core.magnitude import NetworkMagnitude, PeakSeries
from eew.core.network import Network
from eew.core.verdict import distinct_stations, still_growing
from eew.errors import AlertProtocolError, ConfigError
from eew.model.alert import MsgType, Status
from eew.model.event import Phase, Pick, Solution, Trace
from eew.model.waveform import Channel, Component, SensorKind, Station, StreamId
from eew.physics.geo import destination, epicentral_distance_km
from eew.physics.traveltime import TravelTimes

CONFIG = DetectorConfig.load()
TIMES = TravelTimes.load()
ORIGIN_NS = 1_600_000_000_000_000_000
CENTRE = (30.0, 102.0)


def _grid(spacing_km: float, n: int) -> list[tuple[float, float]]:
    """Places of a square network round CENTRE, a little off any symmetry."""
    places = []
    for i in range(-n, n + 1):
        for j in range(-n, n + 1):
            x, y = i * spacing_km + 3.1, j * spacing_km - 2.3
            lat, lon = destination(
                *CENTRE, math.degrees(math.atan2(x, y)) % 360.0, math.hypot(x, y)
            )
            places.append((float(lat), float(lon)))
    return places


PLACES = _grid(20.0, 4)


def _arrivals(
    lat: float, lon: float, depth_km: float, places: list[tuple[float, float]]
) -> list[tuple[float, int]]:
    """(P time after origin, index) of all places, earliest first."""
    distance = epicentral_distance_km(lat, lon, [p[0] for p in places], [p[1] for p in places])
    times = TIMES.p_s(distance, depth_km)
    return sorted((float(t), i) for i, t in enumerate(times))


def _observed(arrivals: list[tuple[float, int]], n: int) -> list[Observed]:
    return [
        Observed(lat=PLACES[i][0], lon=PLACES[i][1], time_s=t, sigma_s=0.05)
        for t, i in arrivals[:n]
    ]


def _miss_km(located: Located, lat: float, lon: float) -> float:
    return float(epicentral_distance_km(lat, lon, located.lat, located.lon))


@pytest.fixture(scope="module")
def locator() -> Locator:
    return Locator(CONFIG.location, TIMES)


@pytest.mark.parametrize("depth_km", [8.0, 15.0, 30.0])
def test_exact_arrivals_inside_the_network_are_located_within_two_km(
    locator: Locator, depth_km: float
) -> None:
    lat, lon = 30.05, 102.07
    located = locator.locate(_observed(_arrivals(lat, lon, depth_km, PLACES), 12), [])
    assert _miss_km(located, lat, lon) < 2.0
    assert located.origin_time_s == pytest.approx(0.0, abs=0.6)


def test_one_pick_ten_seconds_wrong_does_not_move_the_epicentre_far(locator: Locator) -> None:
    lat, lon = 30.05, 102.07
    observed = _observed(_arrivals(lat, lon, 10.0, PLACES), 8)
    observed[5] = replace(observed[5], time_s=observed[5].time_s + 10.0)
    assert _miss_km(locator.locate(observed, []), lat, lon) < 5.0


def test_one_pick_lies_near_its_station(locator: Locator) -> None:
    lat, lon = PLACES[0]
    located = locator.locate([Observed(lat=lat, lon=lon, time_s=0.0, sigma_s=0.05)], [])
    assert _miss_km(located, lat, lon) < 25.0
    assert located.h_sigma_km > 10.0


def test_silent_stations_pull_a_two_pick_location_to_the_right_side(locator: Locator) -> None:
    # the quake lies outside the network, so its two first stations leave a wide choice
    lat, lon = destination(*CENTRE, 90.0, 130.0)
    arrivals = _arrivals(float(lat), float(lon), 10.0, PLACES)
    picks = _observed(arrivals, 2)
    now_s = arrivals[1][0] + 0.5
    silent = [Silent(lat=PLACES[i][0], lon=PLACES[i][1], until_s=now_s) for _, i in arrivals[2:]]
    without = _miss_km(locator.locate(picks, []), float(lat), float(lon))
    with_them = _miss_km(locator.locate(picks, silent), float(lat), float(lon))
    assert with_them < 0.8 * without


# ---------------------------------------------------------------- association


def _stations(places: list[tuple[float, float]]) -> list[Station]:
    return [
        Station(
            code=f"XX.S{i:03d}",
            lat=lat,
            lon=lon,
            elevation_m=0.0,
            channels=(
                Channel(
                    stream_id=StreamId("XX", f"S{i:03d}", "", "HNZ"),
                    component=Component.VERTICAL,
                    kind=SensorKind.ACCELERATION,
                    sensitivity=1e6,
                    sampling_rate_hz=100.0,
                ),
            ),
        )
        for i, (lat, lon) in enumerate(places)
    ]


def _associator(places: list[tuple[float, float]]) -> tuple[Associator, Network]:
    network = Network(_stations(places))
    locator = Locator(CONFIG.location, TIMES)
    return (
        Associator(network, CONFIG, locator, TIMES),
        network,
    )


def _feed(
    associator: Associator, network: Network, onsets: list[tuple[float, int]], snr: float = 20.0
) -> None:
    """Hand in onsets (s after ORIGIN_NS, station) in time order; all stations stay alive."""
    for number, (t, row) in enumerate(sorted(onsets), start=1):
        time_ns = ORIGIN_NS + round(t * 1e9)
        now_ns = time_ns + 500_000_000
        network.quiet_until_ns[:] = time_ns - 50_000_000
        network.last_pick_ns[row] = time_ns
        pick = Pick(
            pick_id=number,
            station=network.stations[row].code,
            stream="",
            phase=Phase.P,
            time_ns=time_ns,
            known_ns=now_ns,
            uncertainty_s=0.05,
            snr=snr,
        )
        associator.add(
            TrackedPick(
                pick=pick,
                row=row,
                place=int(network.place[row]),
                slot=0,
                number=1,
                lat=float(network.lat[row]),
                lon=float(network.lon[row]),
                peaks=PeakSeries(),
            ),
            now_ns,
        )


def test_three_picks_of_one_source_make_an_event_and_later_ones_join_it() -> None:
    associator, network = _associator(PLACES)
    _feed(associator, network, _arrivals(30.05, 102.07, 10.0, PLACES)[:20])
    assert len(associator.events) == 1
    assert len(associator.events[0].picks) == 20


def test_picks_no_wave_can_explain_make_no_event() -> None:
    associator, network = _associator(PLACES)
    # the same instant over 160 km: lightning, or a clock pulse
    _feed(associator, network, [(0.01 * k, row) for k, row in enumerate((0, 8, 40, 72, 80))])
    assert associator.events == []


def test_two_quakes_350_km_and_three_seconds_apart_stay_two() -> None:
    far_lat, far_lon = (float(v) for v in destination(*CENTRE, 60.0, 350.0))
    far_places = []
    for lat, lon in _grid(20.0, 2):
        x, y = lat - CENTRE[0], lon - CENTRE[1]
        far_places.append((far_lat + x, far_lon + y))
    places = _grid(20.0, 2) + far_places
    associator, network = _associator(places)
    first = [a for a in _arrivals(30.02, 102.03, 10.0, places) if a[1] < 25][:9]
    second = [
        (t + 3.0, i) for t, i in _arrivals(far_lat + 0.03, far_lon - 0.02, 10.0, places) if i >= 25
    ][:9]
    _feed(associator, network, first + second)
    assert len(associator.events) == 2
    truths = [CENTRE, (far_lat, far_lon)]
    for event in associator.events:
        assert min(_miss_km(event.located, *t) for t in truths) < 15.0


def test_s_waves_of_an_event_make_no_second_one() -> None:
    associator, network = _associator(PLACES)
    lat, lon, depth_km = 30.05, 102.07, 10.0
    p = _arrivals(lat, lon, depth_km, PLACES)[:12]
    distance = epicentral_distance_km(lat, lon, [x[0] for x in PLACES], [x[1] for x in PLACES])
    s = [(float(t), i) for i, t in enumerate(TIMES.s_s(distance, depth_km))]
    _feed(associator, network, p + sorted(s)[:12])
    assert len(associator.events) == 1


def test_stations_of_one_building_count_once() -> None:
    places = [PLACES[0], (PLACES[0][0] + 0.001, PLACES[0][1]), PLACES[1]]
    network = Network(_stations(places))
    assert network.place[0] == network.place[1] != network.place[2]
    associator, network = _associator([*places, PLACES[9]])
    _feed(associator, network, [(0.0, 0), (0.0, 1), (2.5, 2)])
    assert associator.events == []  # two places are not three


def test_an_event_counts_places_not_sensors() -> None:
    associator, network = _associator(PLACES)
    _feed(associator, network, _arrivals(30.05, 102.07, 10.0, PLACES)[:6])
    event = associator.events[0]
    assert distinct_stations(event) == 6
    for tracked in event.picks[:3]:
        tracked.place = event.picks[0].place
    assert distinct_stations(event) == 4


# ---------------------------------------------------------------- life cycle


def _solution(at_s: float, magnitude: float, *, lat: float = 30.0) -> Solution:
    return Solution(
        event_id="ev-1",
        at_ns=ORIGIN_NS + round(at_s * 1e9),
        origin_time_ns=ORIGIN_NS,
        lat=lat,
        lon=102.0,
        depth_km=10.0,
        origin_time_sigma_s=0.3,
        h_sigma_km=4.0,
        z_sigma_km=5.0,
        ellipse_major_km=5.0,
        ellipse_minor_km=3.0,
        ellipse_azimuth_deg=20.0,
        azimuthal_gap_deg=90.0,
        rms_s=0.2,
        magnitude=magnitude,
        magnitude_sigma=0.3,
        magnitude_type="Mpd",
        magnitude_is_lower_bound=False,
        n_picks=6,
        n_stations=6,
        likelihood=0.9,
        first_pick_ns=ORIGIN_NS + 2_000_000_000,
        trace=Trace(last_sample_ns=ORIGIN_NS, received_ns=ORIGIN_NS, pick_ns=ORIGIN_NS),
    )


steps = st.lists(st.tuples(st.floats(0.05, 3.0), st.floats(3.0, 8.0), st.booleans()), max_size=30)


@settings(max_examples=40)
@given(steps=steps, ending=st.sampled_from(["finish", "withdraw", "wait"]))
def test_serials_count_up_from_one_and_the_kinds_follow_the_life_cycle(
    steps: list[tuple[float, float, bool]], ending: str
) -> None:
    machine = AlertLifecycle(CONFIG.alert)
    now_s = 3.0
    sent = []
    for wait_s, magnitude, ready in steps:
        now_s += wait_s
        sent += machine.receive_solution(_solution(now_s, magnitude), ready=ready)
    now_ns = ORIGIN_NS + round((now_s + 500.0) * 1e9)
    if ending == "finish":
        sent += machine.finish(now_ns)
    elif ending == "withdraw":
        sent += machine.withdraw(now_ns)
    else:
        sent += machine.advance(now_ns)

    assert [m.serial for m in sent] == list(range(1, len(sent) + 1))
    assert all(m.status in (Status.EXERCISE, Status.TEST) for m in sent)
    if sent:
        last = MsgType.CANCEL if ending == "withdraw" else MsgType.FINAL
        kinds = [m.msg_type for m in sent]
        assert kinds == [MsgType.ALERT, *[MsgType.UPDATE] * (len(sent) - 2), last]
        gaps = np.diff([m.issued_ns for m in sent[:-1]]) / 1e9
        assert (gaps >= CONFIG.alert.update_interval_s - 1e-6).all()
    assert machine.closed or not sent
    assert machine.receive_solution(_solution(now_s + 600.0, 8.0), ready=True) == [] or not sent


def test_nothing_is_said_of_small_or_doubtful_events() -> None:
    machine = AlertLifecycle(CONFIG.alert)
    assert machine.receive_solution(_solution(5.0, 3.9), ready=True) == []
    assert machine.receive_solution(_solution(5.5, 6.0), ready=False) == []
    assert machine.finish(ORIGIN_NS + 10**11) == []


def test_the_least_size_told_is_a_matter_of_probability() -> None:
    share = CONFIG.alert.min_magnitude_probability
    for wide in (0.2, 0.8):
        at_limit = CONFIG.alert.min_magnitude - wide * NormalDist().inv_cdf(share)
        told = [
            AlertLifecycle(CONFIG.alert).receive_solution(
                replace(_solution(5.0, at_limit + off), magnitude_sigma=wide), ready=True
            )
            for off in (-0.01, 0.01)
        ]
        assert [len(t) for t in told] == [0, 1]


def test_withdrawing_twice_is_our_own_bug() -> None:
    machine = AlertLifecycle(CONFIG.alert)
    machine.withdraw(ORIGIN_NS)
    with pytest.raises(AlertProtocolError):
        machine.withdraw(ORIGIN_NS)


def test_radii_shrink_with_intensity() -> None:
    machine = AlertLifecycle(CONFIG.alert)
    (message,) = machine.receive_solution(_solution(5.0, 7.0), ready=True)
    radii = [message.prediction.radii_km[k] for k in sorted(message.prediction.radii_km)]
    assert len(radii) >= 3
    assert radii == sorted(radii, reverse=True)


def test_a_detector_table_with_an_unknown_field_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from eew.core import config as module
    from eew.tables import load_table

    raw = load_table("detector")
    raw["alert"]["min_magnitud"] = 4.0
    monkeypatch.setattr(module, "load_table", lambda name: raw)
    with pytest.raises(ConfigError, match="min_magnitud"):
        DetectorConfig.load()


def test_the_last_word_waits_while_the_source_grows_but_not_for_ever() -> None:
    policy = CONFIG.alert
    waiting, quiet = AlertLifecycle(policy), AlertLifecycle(policy)
    for machine in (waiting, quiet):
        machine.receive_solution(_solution(5.0, 7.2), ready=True)
    due_ns = ORIGIN_NS + round((5.0 + policy.final_after_s + 1.0) * 1e9)
    latest_ns = ORIGIN_NS + round((5.0 + policy.final_latest_s) * 1e9)

    assert [m.msg_type for m in quiet.advance(due_ns)] == [MsgType.FINAL]
    assert waiting.advance(due_ns, growing=True) == []
    assert [m.msg_type for m in waiting.advance(latest_ns, growing=True)] == [MsgType.FINAL]


@pytest.mark.parametrize(
    ("value", "since_origin_s", "grown_before_s", "expected"),
    [
        (5.0, 3.0, 100.0, False),  # an M5 radiates for two seconds
        (7.8, 40.0, 100.0, True),  # an M7.8 for up to a minute
        (7.8, 90.0, 100.0, False),
        (7.8, 90.0, 5.0, True),  # and its shaking may grow for longer
        (5.0, 90.0, 5.0, False),  # that of a small one is no news of its source
    ],
)
def test_a_source_grows_for_its_duration_and_a_large_one_while_stations_see_it(
    value: float, since_origin_s: float, grown_before_s: float, expected: bool
) -> None:
    associator, network = _associator(PLACES)
    _feed(associator, network, _arrivals(30.05, 102.07, 10.0, PLACES)[:6])
    (event,) = associator.events
    event.magnitude = NetworkMagnitude(
        value=value, sigma=0.3, type="Mpd", lower_bound=False, stations=()
    )
    now_ns = event.origin_time_ns + round(since_origin_s * 1e9)
    for tracked in event.picks:
        tracked.peaks.grown_ns = now_ns - round(grown_before_s * 1e9)

    assert still_growing(event, CONFIG.alert, CONFIG.magnitude, now_ns) is expected
