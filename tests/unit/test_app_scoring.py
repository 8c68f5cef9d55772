"""From messages and peaks to detection, residuals and the words for places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eew.app.observations import Observations
from eew.app.scoring import (
    detection,
    model_for,
    station_intensities,
    targets,
    time_zero,
)
from eew.model.alert import AlertMessage, CancelReason, Level, MsgType
from eew.model.event import StationPeaks
from eew.model.place import Site
from eew.model.waveform import Recording
from eew.physics.geo import destination, epicentral_distance_km
from eew.physics.shaking import shaking_model
from eew.physics.traveltime import RegionalTravelTimes, TravelTimes
from eew.report.result import Detection, TargetResult, Told
from simulator.truth import nth_p_floor_s
from tests.unit.run_example import ORIGIN_NS, S, message, pick, recording, solution, truth

QUAKE = recording()
PICKS = tuple(pick(n, one) for n, one in enumerate(QUAKE.stations, start=1))
MODEL = shaking_model("bssa14")


def alert(
    serial: int,
    at_s: float,
    *,
    magnitude: float = 7.0,
    event_id: str = "ev-1",
    away_km: float = 0.0,
    kind: MsgType | None = None,
    cancelled: bool = False,
) -> AlertMessage:
    lat, lon = destination(truth().lat, truth().lon, 0.0, away_km)
    found = replace(
        solution(at_s, magnitude, PICKS, 0.0),
        event_id=event_id,
        lat=float(lat),
        lon=float(lon),
        origin_time_ns=ORIGIN_NS + S,
        depth_km=10.0,
    )
    made = message(serial, kind or (MsgType.ALERT if serial == 1 else MsgType.UPDATE), found)
    assert isinstance(made, AlertMessage)
    made = replace(
        made, prediction=replace(made.prediction, relation=MODEL.relation, scale=MODEL.scale)
    )
    return replace(made, cancel_reason=CancelReason.FALSE_ALERT) if cancelled else made


# ------------------------------------------------------------------ time zero


def test_times_count_from_the_true_origin_where_there_is_one() -> None:
    assert time_zero(QUAKE, PICKS, []) == (ORIGIN_NS, "origin")


def test_without_truth_they_count_from_the_first_pick_of_the_first_alert() -> None:
    blind = replace(QUAKE, truth=None)
    first = alert(1, 5.0)

    assert time_zero(blind, PICKS, [first]) == (first.first_pick_ns, "first_pick")
    assert time_zero(blind, PICKS, []) == (min(p.time_ns for p in PICKS), "first_pick")
    assert time_zero(blind, [], []) == (blind.start_ns, "first_sample")


# ------------------------------------------------------------------ detection


def score(messages: list[AlertMessage], quake: Recording = QUAKE) -> Detection:
    return detection(quake, messages, ORIGIN_NS)[0]


def test_a_detected_quake_has_errors_at_the_first_and_the_final_alert() -> None:
    found = score([alert(1, 6.0, magnitude=5.5, away_km=20.0), alert(2, 20.0, magnitude=7.3)])

    assert found.detected
    assert found.events == 1
    assert found.first_alert_s == 6.0
    assert found.epicentre_error_km.first == pytest.approx(20.0, abs=0.01)
    assert found.epicentre_error_km.final == pytest.approx(0.0, abs=0.01)
    assert found.magnitude_error.first == pytest.approx(-1.6)
    assert found.magnitude_error.final == pytest.approx(0.2)
    assert found.depth_error_km.first == pytest.approx(2.0)
    assert found.origin_time_error_s.final == pytest.approx(1.0)
    assert (found.false_alerts, found.splits) == (0, 0)
    assert found.nth_p_floor_s == tuple(nth_p_floor_s(QUAKE))
    assert found.blind_zone_km is not None
    assert found.blind_zone_km > 0.0


def test_an_alert_far_away_is_false_and_the_quake_is_not_detected() -> None:
    found = score([alert(1, 6.0, away_km=150.0)])

    assert not found.detected
    assert found.false_alerts == 1
    assert found.first_alert_s is None
    assert found.epicentre_error_km.first is None


def test_a_second_event_at_the_place_of_the_first_is_a_split() -> None:
    found = score([alert(1, 6.0), alert(1, 9.0, event_id="ev-2", away_km=30.0)])

    assert found.events == 2
    assert found.splits == 1
    assert found.false_alerts == 0
    assert found.primary_event_id == "ev-1"


def test_an_event_that_was_withdrawn_is_no_detection() -> None:
    found = score([alert(1, 6.0), alert(2, 12.0, kind=MsgType.CANCEL, cancelled=True)])

    assert not found.detected
    assert found.false_alerts == 1


def test_an_event_is_judged_by_its_last_place_not_its_first() -> None:
    assert score([alert(1, 6.0, away_km=150.0), alert(2, 8.0)]).detected
    assert not score([alert(1, 6.0), alert(2, 8.0, away_km=150.0)]).detected


def test_without_truth_an_alert_counts_and_nothing_is_called_false() -> None:
    found = score([alert(1, 6.0)], replace(QUAKE, truth=None))

    assert found.detected
    assert found.false_alerts is None
    assert found.magnitude_error.final is None
    assert found.nth_p_floor_s == ()


def test_silence_is_no_detection() -> None:
    found = score([], replace(QUAKE, truth=None))

    assert not found.detected
    assert found.events == 0


# ------------------------------------------------------------------ what stations observed


def peaks_like(magnitude: float, *, clipped: bool = False, n: int = 3) -> list[StationPeaks]:
    """Return the motion that the model itself predicts at each station."""
    found = []
    for one in QUAKE.stations:
        away_km = float(epicentral_distance_km(truth().lat, truth().lon, one.lat, one.lon))
        motion = MODEL.predict(magnitude, 8.0, away_km)
        found.append(
            StationPeaks(
                station=one.code,
                pga_mps2=float(motion.pga_mps2),
                pgv_mps=float(motion.pgv_mps),
                pga_vector_mps2=float(motion.pga_mps2) * 1.2,
                pgv_vector_mps=float(motion.pgv_mps) * 1.2,
                clipped=clipped,
                n_components=n,
            )
        )
    return found


def observed(
    peaks: list[StationPeaks], *, model: str = "bssa14", played_ns: int = QUAKE.end_ns
) -> Observations:
    return Observations(QUAKE, peaks, shaking_model(model), played_ns=played_ns)


def test_a_prediction_of_the_right_size_has_no_residual() -> None:
    rows = station_intensities(observed(peaks_like(7.0)), alert(1, 6.0, magnitude=7.0))

    assert len(rows) == len(QUAKE.stations)
    # not exactly 0: observed intensity comes from PGV or PGA, predicted from the model's choice
    assert np.abs([row.predicted - row.observed for row in rows]).max() < 0.35


def test_an_overestimated_magnitude_gives_positive_residuals() -> None:
    rows = station_intensities(observed(peaks_like(5.0)), alert(1, 6.0, magnitude=7.0))

    assert min(row.predicted - row.observed for row in rows) > 0.5


def test_clipped_stations_and_single_components_are_not_observations() -> None:
    final = alert(1, 6.0)

    assert station_intensities(observed(peaks_like(7.0, clipped=True)), final) == ()
    assert station_intensities(observed(peaks_like(7.0, n=1)), final) == ()
    assert station_intensities(observed(peaks_like(7.0)), None) == ()


def test_a_dead_or_disturbed_record_is_no_observation() -> None:
    peaks = peaks_like(7.0)
    dead = replace(peaks[0], pga_mps2=peaks[0].pga_mps2 / 60.0)
    spike = replace(peaks[1], pga_mps2=peaks[1].pga_mps2 * 60.0)
    weak = replace(peaks[2], pga_mps2=peaks[2].pga_mps2 / 20.0)
    seen = observed([dead, spike, weak, *peaks[3:]])

    assert seen.implausible == (dead.station, spike.station)
    assert weak.station in [one.code for one in seen.stations()]


def test_without_truth_every_whole_record_is_believed() -> None:
    peaks = [replace(one, pga_mps2=1e-6) for one in peaks_like(7.0)]
    blind = Observations(replace(QUAKE, truth=None), peaks, MODEL, played_ns=QUAKE.end_ns)

    assert blind.implausible == ()
    assert len(blind.stations()) == len(QUAKE.stations)


def test_a_station_that_starts_after_s_is_no_observation() -> None:
    late = replace(
        QUAKE, segments=tuple(replace(s, start_ns=s.start_ns + 60 * S) for s in QUAKE.segments)
    )
    seen = Observations(late, peaks_like(7.0), MODEL, played_ns=late.end_ns)

    assert not seen.has_recorded(QUAKE.stations[0].code, ORIGIN_NS + 10 * S)
    assert seen.has_recorded(QUAKE.stations[0].code, ORIGIN_NS + 50 * S)


def test_a_station_that_has_not_recorded_s_yet_is_no_observation() -> None:
    final = alert(1, 6.0)
    at_ns = ORIGIN_NS + 15 * S
    rows = station_intensities(observed(peaks_like(7.0), played_ns=at_ns), final)

    assert 0 < len(rows) < len(QUAKE.stations)
    for row in rows:
        s_s = float(TravelTimes.load().s_s(row.distance_km, 10.0))
        assert 1.0 + s_s + 5.0 <= 15.0 + 1e-6  # the alert's origin is 1 s late


def test_china_intensity_takes_the_vector_sum() -> None:
    peaks = peaks_like(7.0)
    csi = shaking_model("gb18306_east_strong")
    code = QUAKE.stations[0].code
    first = next(one for one in peaks if one.station == code)

    assert observed(peaks, model=csi.name).intensity(code) == pytest.approx(
        float(csi.observed_intensity(first.pga_vector_mps2, first.pgv_vector_mps))
    )
    assert observed(peaks).intensity(code) == pytest.approx(
        float(MODEL.observed_intensity(first.pga_mps2, first.pgv_mps))
    )


def test_the_model_is_that_of_the_alert_else_that_of_the_region() -> None:
    assert model_for(QUAKE, alert(1, 6.0)).name == "bssa14"
    assert model_for(QUAKE, None).scale == "mmi"
    assert model_for(replace(QUAKE, truth=None), None).scale == "mmi"


# ------------------------------------------------------------------ places


def site_at(away_km: float, name: str = "A") -> Site:
    lat, lon = destination(truth().lat, truth().lon, 90.0, away_km)
    return Site(name=name, lat=float(lat), lon=float(lon))


def told(level: Level, at_s: float, event_id: str = "ev-1") -> Told:
    return Told(
        device="phone-1",
        kind="phone",
        site="A",
        event_id=event_id,
        serial=1,
        level=level,
        at_ns=ORIGIN_NS + round(at_s * S),
    )


def row_for(
    away_km: float,
    said: list[Told],
    *,
    messages: list[AlertMessage] | None = None,
    peaks: list[StationPeaks] | None = None,
    quake: Recording = QUAKE,
    cut_ns: int | None = None,
) -> TargetResult:
    messages = [alert(1, 5.0)] if messages is None else messages
    found, matched = detection(quake, messages, ORIGIN_NS)
    (row,) = targets(
        [site_at(away_km)],
        truth=quake.truth,
        found=found,
        matched=matched,
        final=messages[-1] if messages else None,
        told={"A": said},
        observations=observed(peaks or []),
        model=MODEL,
        zero_ns=ORIGIN_NS,
        cut_ns=cut_ns,
    )
    return row


def test_lead_time_is_s_arrival_minus_told() -> None:
    row = row_for(100.0, [told(Level.TAKE_ACTION, 6.0)])

    s_s = float(TravelTimes.load().s_s(100.0, 8.0))
    assert row.s_arrival_s == pytest.approx(s_s, abs=0.01)
    assert row.lead_time_s == pytest.approx(s_s - 6.0, abs=0.01)
    assert row.outcome == "timely"
    assert row.level is Level.TAKE_ACTION


def test_a_place_near_the_epicentre_is_told_too_late() -> None:
    row = row_for(5.0, [told(Level.TAKE_ACTION, 6.0)])

    assert row.outcome == "late"
    assert row.lead_time_s is not None
    assert row.lead_time_s < 0.0


def test_told_is_the_first_time_and_level_is_the_highest() -> None:
    row = row_for(100.0, [told(Level.BE_AWARE, 6.0), told(Level.TAKE_ACTION, 9.0)])

    assert row.told_s == 6.0
    assert row.level is Level.TAKE_ACTION


def test_a_place_that_needed_it_and_heard_nothing_was_missed() -> None:
    assert row_for(50.0, []).outcome == "missed"
    assert row_for(50.0, [], messages=[]).outcome == "missed"


def test_a_phantom_tells_nobody_of_the_true_quake() -> None:
    row = row_for(
        50.0,
        [told(Level.TAKE_ACTION, 6.0, "ghost")],
        messages=[alert(1, 5.0, event_id="ghost", away_km=300.0)],
    )

    assert row.outcome == "missed"
    assert row.told_s == 6.0


def test_what_was_observed_nearby_decides_over_the_model() -> None:
    small = replace(QUAKE, truth=replace(truth(), magnitude=5.0))
    quiet = [
        replace(one, pga_mps2=one.pga_mps2 / 40.0, pgv_mps=one.pgv_mps / 40.0)
        for one in peaks_like(5.0)
    ]
    nearest = QUAKE.stations[0]
    messages = [alert(1, 5.0)]
    found, matched = detection(small, messages, ORIGIN_NS)
    (row,) = targets(
        [Site(name="A", lat=nearest.lat, lon=nearest.lon)],
        truth=small.truth,
        found=found,
        matched=matched,
        final=messages[-1],
        told={"A": [told(Level.TAKE_ACTION, 6.0)]},
        observations=Observations(small, quiet, MODEL, played_ns=small.end_ns),
        model=MODEL,
        zero_ns=ORIGIN_NS,
        cut_ns=None,
    )

    assert row.observed_station == nearest.code
    assert row.observed_intensity is not None
    assert row.observed_intensity < 3.0
    assert row.true_intensity is not None
    assert row.true_intensity > 3.0
    assert row.outcome == "precautionary"


def test_a_station_farther_than_10_km_observes_nothing_for_a_place() -> None:
    row = row_for(400.0, [], peaks=peaks_like(7.0))

    assert row.observed_intensity is None
    assert row.observed_station is None


def test_without_truth_arrivals_come_from_the_alert_and_nothing_is_scored() -> None:
    row = row_for(100.0, [told(Level.BE_AWARE, 6.0)], quake=replace(QUAKE, truth=None))

    assert row.outcome == "unscored"
    assert row.distance_km is not None
    here = RegionalTravelTimes().at(QUAKE.stations[0].lat, QUAKE.stations[0].lon)
    assert row.s_arrival_s == pytest.approx(1.0 + float(here.s_s(row.distance_km, 10.0)), abs=0.01)


def test_a_run_that_was_cut_before_s_came_does_not_call_a_place_missed() -> None:
    assert row_for(150.0, [], cut_ns=ORIGIN_NS + 10 * S).outcome == "unscored"
    assert row_for(15.0, [], cut_ns=ORIGIN_NS + 10 * S).outcome == "missed"
    assert (
        row_for(150.0, [told(Level.BE_AWARE, 6.0)], cut_ns=ORIGIN_NS + 10 * S).outcome == "timely"
    )


def test_places_come_nearest_first() -> None:
    found, matched = detection(QUAKE, [], ORIGIN_NS)
    rows = targets(
        [site_at(90.0, "far"), site_at(10.0, "near"), site_at(50.0, "middle")],
        truth=QUAKE.truth,
        found=found,
        matched=matched,
        final=None,
        told={},
        observations=observed([]),
        model=MODEL,
        zero_ns=ORIGIN_NS,
        cut_ns=None,
    )

    assert [row.site.name for row in rows] == ["near", "middle", "far"]
