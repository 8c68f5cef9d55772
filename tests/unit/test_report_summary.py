"""summary.json, measured.json, tables, timeline and QuakeML from a run made of plain values."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from eew.report.statistics import bias_and_sigma, quantiles
from eew.report.summary import measured, merged, number, summary
from eew.report.tables import fixed, picks_csv, solutions_csv, targets_csv
from eew.report.timeline import messages_jsonl, moments, timeline_jsonl
from eew.report.times import utc, utc_clock
from tests.unit.run_example import ORIGIN_NS, S, changed, result

# the names that readers of summary.json may rely on
REQUIRED: dict[str, Any] = {
    "run": {"id", "seed", "version", "packet_s", "broker", "complete"},
    "event": {"id", "origin_time", "lat", "lon", "depth_km", "magnitude"},
    "data": {"stations", "channels", "seconds"},
    "detection": {
        "detected",
        "events",
        "first_alert_s",
        "epicentre_error_km",
        "magnitude_error",
        "nth_p_floor_s",
    },
    "intensity": {"n", "bias", "sigma"},
    "delivery": {"devices", "expected", "delivered", "lost", "duplicates"},
}
ALERT_NAMES = {
    "event_id",
    "serial",
    "msg_type",
    "since_origin_s",
    "since_first_pick_s",
    "lat",
    "lon",
    "depth_km",
    "magnitude",
    "n_stations",
}
TARGET_NAMES = {
    "name",
    "lat",
    "lon",
    "distance_km",
    "predicted_intensity",
    "observed_intensity",
    "s_arrival_s",
    "told_s",
    "lead_time_s",
    "level",
    "outcome",
}


@pytest.mark.parametrize("with_truth", [True, False])
@pytest.mark.parametrize("alerted", [True, False])
def test_the_summary_keeps_every_name_of_its_schema(with_truth: bool, alerted: bool) -> None:
    document = summary(result(with_truth=with_truth, alerted=alerted))

    assert document["schema"] == "eew.summary/1"
    for section, names in REQUIRED.items():
        assert names <= set(document[section]), section
    assert all(set(row) >= ALERT_NAMES for row in document["alerts"])
    assert all(set(row) >= TARGET_NAMES for row in document["targets"])
    for row in document["latency_s"].values():
        assert set(row) == {"p50", "p95", "p99", "max", "kind"}
    json.dumps(document, allow_nan=False)


def test_what_this_machine_measured_is_in_no_reproducible_document() -> None:
    document = summary(result())

    assert {row["kind"] for row in document["latency_s"].values()} == {"modelled"}
    assert "latency_ms" not in document["delivery"]
    assert "wall_s" not in json.dumps(document)


def test_merging_puts_both_latencies_side_by_side_and_loses_nothing() -> None:
    run = result()
    both = merged(summary(run), measured(run))

    assert both["schema"] == "eew.summary/1"
    assert both["wall_s"]["read"] == 1.235
    assert both["delivery"]["latency_ms"] == {"p50": 2.0, "p95": 8.3, "p99": 8.86, "max": 9.0}
    assert both["delivery"]["devices"] == 2
    kinds = {stage: row["kind"] for stage, row in both["latency_s"].items()}
    assert kinds["link"] == "modelled"
    assert kinds["compute"] == "measured"


def test_merging_changes_neither_of_its_parts() -> None:
    run = result()
    left, right = summary(run), measured(run)
    merged(left, right)

    assert left == summary(run)
    assert right == measured(run)


def test_alert_times_count_from_the_origin_and_from_the_first_pick() -> None:
    run = result()
    alert = summary(run)["alerts"][0]

    assert alert["since_origin_s"] == 5.0
    first_pick_s = (run.messages[0].first_pick_ns - ORIGIN_NS) / S
    assert alert["since_first_pick_s"] == pytest.approx(5.0 - first_pick_s, abs=1e-3)


def test_without_truth_times_count_from_the_first_pick_and_errors_are_null() -> None:
    run = result(with_truth=False)
    document = summary(run)

    alert = document["alerts"][0]
    assert alert["since_origin_s"] == alert["since_first_pick_s"]
    assert document["detection"]["epicentre_error_km"] == {"first": None, "final": None}
    assert document["event"]["origin_time"] is None
    assert document["run"]["time_zero"] == "first_pick"


def test_a_stopped_run_says_so() -> None:
    assert summary(result(complete=False))["run"]["complete"] is False


def test_intensity_residuals_are_predicted_minus_observed() -> None:
    document = summary(result())

    assert document["intensity"]["n"] == 9
    assert document["intensity"]["bias"] == pytest.approx(0.2)
    assert document["intensity"]["sigma"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), (float("nan"), None), (float("inf"), None), (-0.0, 0.0)]
)
def test_numbers_that_json_does_not_know_become_null(
    value: float | None, expected: float | None
) -> None:
    assert number(value, 2) == expected
    assert str(number(value, 2)) != "-0.0"


def test_quantiles_interpolate_and_are_null_without_samples() -> None:
    assert quantiles([]) == {"p50": None, "p95": None, "p99": None, "max": None}
    assert quantiles([float(n) for n in range(101)]) == {
        "p50": 50.0,
        "p95": 95.0,
        "p99": 99.0,
        "max": 100.0,
    }


def test_bias_and_sigma_of_few_values_are_unknown_not_zero() -> None:
    assert bias_and_sigma([]) == (None, None)
    assert bias_and_sigma([0.5]) == (0.5, None)
    assert bias_and_sigma([1.0, 3.0]) == pytest.approx((2.0, 2.0**0.5))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_files_have_one_row_per_thing_and_an_empty_field_for_unknown() -> None:
    run = result()

    assert len(rows(picks_csv(run))) == len(run.picks)
    assert len(rows(solutions_csv(run))) == len(run.solutions)
    places = rows(targets_csv(run))
    assert [row["name"] for row in places] == ["Ridgecrest", "Bakersfield", "Los Angeles"]
    assert places[0]["observed_intensity"] == "8.00"
    assert places[2]["observed_intensity"] == ""
    assert places[0]["outcome"] == "late"
    assert places[0]["lead_time_s"].startswith("-")


def test_csv_times_are_utc_with_z_and_s_after_time_zero() -> None:
    row = rows(picks_csv(result()))[0]

    assert row["time"].endswith("Z")
    assert float(row["since_zero_s"]) < float(row["known_since_zero_s"])


def test_fixed_numbers_never_show_minus_zero() -> None:
    assert fixed(-0.0001, 2) == "0.00"
    assert fixed(None, 2) is None


def test_the_timeline_is_in_order_of_data_time_and_cause_comes_before_effect() -> None:
    run = result()
    lines = [json.loads(line) for line in timeline_jsonl(run).splitlines()]

    assert len(lines) == len(moments(run))
    assert [line["since_zero_s"] for line in lines] == sorted(
        line["since_zero_s"] for line in lines
    )
    assert lines[0]["what"] == "origin"
    kinds = [line["what"] for line in lines]
    assert kinds.index("solution") < kinds.index("message") < kinds.index("told")
    assert {"rejected", "closed", "pick"} <= set(kinds)


def test_messages_are_written_byte_for_byte_as_they_went_out() -> None:
    run = changed(result(), payloads=(b'{"a": 1}', '{"b": "震"}'.encode()))

    assert messages_jsonl(run).encode() == b'{"a": 1}\n' + '{"b": "震"}\n'.encode()


@pytest.mark.parametrize(
    ("time_ns", "expected"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (999_500_000, "1970-01-01T00:00:01.000Z"),
        (1_562_383_193_040_499_999, "2019-07-06T03:19:53.040Z"),
        (-1, "1970-01-01T00:00:00.000Z"),
        (-2_000_000, "1969-12-31T23:59:59.998Z"),
    ],
)
def test_utc_text_is_rounded_from_whole_ns(time_ns: int, expected: str) -> None:
    assert utc(time_ns) == expected


def test_time_of_day_and_whole_seconds() -> None:
    assert utc_clock(ORIGIN_NS) == "03:19:53.04"
    assert utc(ORIGIN_NS, digits=0) == "2019-07-06T03:19:53Z"
