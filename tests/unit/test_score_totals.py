"""Totals over folders, and the document that holds them."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from eew.app.score_document import score_document
from eew.app.score_totals import shaking, sites, spread, totals
from eew.report.score_compare import score_bytes
from tests.unit.score_example import SETTINGS, STATIONS, folder, missed, noise, snapshot

SUITE = (folder(), folder("us_edge", in_network=False, first_alert_s=9.0), missed(), noise())


def test_counts_are_those_of_the_folders() -> None:
    found = totals(SUITE, SETTINGS)

    assert (found["folders"], found["quakes"], found["detected"]) == (4, 3, 2)
    assert found["not_detected"] == ["zz_missed"]
    assert found["events"]["alerted"] == 2
    assert found["in_network"]["names"] == ["us_quake"]
    assert found["edge"]["names"] == ["us_edge", "zz_missed"]
    assert found["edge"]["detected"] == 1


def test_the_floor_of_the_totals_is_the_4th_p() -> None:
    group = totals(SUITE, SETTINGS)["all"]

    # alerts at 6 and 9 s; 4th P at 5.2 by the catalogue and at 6.5 s as observed
    assert group["alert_minus_floor_s"]["truth"] == {"n": 2, "p50": 2.3, "p75": 3.05, "p95": 3.65}
    assert group["alert_minus_floor_s"]["observed"]["p50"] == pytest.approx(1.0)
    assert group["alerts_before_4th_observed_p"] == 1


def test_a_median_is_over_sizes_of_errors() -> None:
    high = folder("a", snapshots={m: snapshot(6.0, 4.0, 0.5, 0.5) for m in folder().snapshots})
    low = folder("b", snapshots={m: snapshot(6.0, 6.0, -0.7, 2.0) for m in folder().snapshots})

    errors = totals([high, low], SETTINGS)["all"]["errors"]["final"]

    assert errors["magnitude"]["p50"] == pytest.approx(0.6)
    assert errors["epicentre_km"]["p50"] == pytest.approx(5.0)
    assert errors["best_epicentre_km"]["p50"] == pytest.approx(2.5)
    assert errors["origin_time_s"]["p50"] == pytest.approx(0.4)


def test_large_quakes_are_not_among_those_below_7() -> None:
    truth = folder().truth
    assert truth is not None
    large = folder("large", truth=replace(truth, magnitude=7.0))

    assert totals([folder(), large], SETTINGS)["below_m7"]["names"] == ["us_quake"]


def test_the_share_inside_one_sigma_counts_first_plus_5_and_final() -> None:
    sure = folder("sure", snapshots={m: snapshot(6.0, 4.0, 0.5, 3.0) for m in folder().snapshots})

    found = totals([folder(), sure], SETTINGS)["reliability"]

    assert found["first"]["epicentre"] == {"n": 2, "inside": 0.5}
    assert found["together"]["epicentre"] == {"n": 6, "inside": 0.5}
    assert found["together"]["origin_time"]["inside"] == 0.0
    assert found["together"]["magnitude"]["inside"] == 1.0


def test_false_events_are_counted_per_hour_of_noise_with_an_upper_limit() -> None:
    none = totals([folder(), noise()], SETTINGS)["noise"]
    two = totals([folder(), noise(alerted=2)], SETTINGS)["noise"]

    assert none["hours"] == pytest.approx(0.5)
    assert none["per_hour"] == 0.0
    assert none["per_hour_95_upper"] == pytest.approx(-math.log(0.05) / 0.5, rel=1e-3)
    assert two["false_events"] == 2
    assert two["per_hour"] == pytest.approx(4.0)
    assert two["per_hour_95_upper"] == pytest.approx(6.296 / 0.5, rel=1e-3)  # Poisson tables


def test_without_noise_there_is_no_rate() -> None:
    assert totals([folder(quiet_s=0.0)], SETTINGS)["noise"]["per_hour"] is None


def test_residuals_are_over_compared_stations_and_the_rest_is_counted() -> None:
    found = shaking(STATIONS)

    assert found["n"] == 3
    assert found["bias"] == pytest.approx((0.5 - 0.5 + 1.5) / 3.0)
    assert found["sigma"] == pytest.approx(1.0)
    assert found["ln_pga_bias"] == pytest.approx(math.log(2.0), abs=1e-3)
    assert found["ln_pga_sigma"] == pytest.approx(0.0)
    assert found["true_source"]["bias"] == pytest.approx(0.0)
    assert found["left_out"] == {"deaf": 1}


def test_places_are_counted_by_threshold_with_warning_times_and_q() -> None:
    found = sites(STATIONS, SETTINGS)

    assert {k: v for k, v in found["3"].items() if k not in ("warning_s", "q")} == {
        "timely": 2,
        "late": 1,
        "missed": 0,
        "false": 0,
        "precautionary": 0,
        "not_needed": 0,
    }
    assert found["3"]["warning_s"]["p50"] == pytest.approx(10.0)  # of timely ones
    assert found["3"]["q"] == pytest.approx((30.0 - 13.0) / 27.0, abs=1e-3)
    assert found["4"]["q"] == pytest.approx((20.0 - 12.0) / 18.0, abs=1e-3)


def test_other_detectors_stand_beside_ours_on_their_folders_only() -> None:
    other = folder("late", first_alert_s=8.0)
    found = totals([folder(), other, folder("alone", published=()), missed()], SETTINGS)

    beside = found["published"]["other"]
    assert beside["folders"] == 3
    assert beside["earlier"] == 1
    assert beside["not_earlier"] == ["late", "zz_missed"]
    assert beside["earlier_s"] == {"n": 2, "p50": 0.5, "p75": 1.0, "p95": 1.4}
    assert beside["theirs"]["epi_first_km"]["p50"] == 9.0
    assert beside["ours"]["epicentre_km_first"]["n"] == 2


def test_a_spread_of_nothing_is_unknown() -> None:
    assert spread([None, None]) == {"n": 0, "p50": None, "p75": None, "p95": None}


# ------------------------------------------------------------------ document


def test_the_document_is_json_without_waveforms_and_names_its_schema() -> None:
    document = score_document(SUITE, SETTINGS)
    text = score_bytes(document)

    assert json.loads(text) == document
    assert document["schema"] == "eew.score/1"
    assert list(document["folders"]) == [one.name for one in SUITE]
    assert len(text) < 10_000 * len(SUITE)
    assert max(len(line) for line in text.splitlines()) <= 120


def test_a_folder_has_every_figure_that_is_promised() -> None:
    part = score_document([folder()], SETTINGS)["folders"]["us_quake"]

    assert part["times_s"]["first_alert"] == 6.0
    assert part["floor_s"]["observed"] == [1.5, 2.7, 4.8, 6.5, 7.0]
    assert part["alert_minus_floor_s"]["truth"][3] == pytest.approx(0.8)
    assert part["alert_minus_floor_s"]["observed"][3] == pytest.approx(-0.5)
    assert list(part["errors"]) == ["first", "+1", "+2", "+5", "+10", "+20", "final"]
    assert part["errors"]["first"]["epicentre_km"] == 8.0
    assert part["best_location"]["n_picks"] == 12
    assert part["magnitude_trajectory"]["magnitude"] == [5.4, 5.9]
    assert part["published"]["other"] == {"t_s": 7.5, "epi_first_km": 9.0, "earlier_s": 1.5}
    assert part["shaking"]["left_out"] == {"deaf": 1}


def test_what_does_not_apply_is_null_or_empty() -> None:
    document = score_document([missed(), noise(alerted=1)], SETTINGS)

    quiet = document["folders"]["noise"]
    assert quiet["truth"] is quiet["network"] is quiet["best_location"] is None
    assert quiet["times_s"]["first_alert"] is None
    assert quiet["errors"] == {}
    assert quiet["phantoms"][0]["distance_km"] is None
    assert document["folders"]["zz_missed"]["alert_minus_floor_s"] == {"truth": [], "observed": []}
    assert document["totals"]["all"]["first_alert_s"]["p50"] is None
