"""Scores made of plain values, for the tests of totals, document, comparison, plots and tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eew.report.score_result import (
    MOMENTS,
    BestScore,
    EventCounts,
    FolderScore,
    MagnitudePoint,
    NetworkScore,
    Phantom,
    PublishedFigures,
    ScoreSettings,
    SiteResult,
    Snapshot,
    StationScore,
)
from tests.unit.run_example import ORIGIN_NS, S, truth

SETTINGS = ScoreSettings(
    packet_s=0.5,
    delay_s=0.3,
    seed=0,
    version="0.1.0",
    damage_to_action=10.0,
    thresholds=(3.0, 4.0),
)


def snapshot(at_s: float, epicentre_km: float, magnitude: float, sigmas: float) -> Snapshot:
    return Snapshot(
        at_s=at_s,
        epicentre_km=epicentre_km,
        depth_km=-2.0,
        origin_time_s=-0.4,
        magnitude=magnitude,
        best_epicentre_km=0.5 * epicentre_km,
        best_depth_km=1.0,
        best_origin_time_s=0.1,
        n_stations=5,
        sigmas={
            "epicentre": sigmas,
            "depth": 0.5,
            "origin_time": 1.5,
            "magnitude": 0.9,
            "best_epicentre": 0.3,
            "best_depth": 0.2,
            "best_origin_time": 0.4,
        },
    )


def station(
    code: str, observed: float, predicted: float, words: tuple[str, str], warning_s: float | None
) -> StationScore:
    return StationScore(
        station=code,
        lat=35.7,
        lon=-117.5,
        distance_km=30.0,
        state="good",
        observed=observed,
        observed_pga_mps2=0.5,
        predicted=predicted,
        predicted_pga_mps2=1.0,
        true_predicted=predicted - 0.5,
        true_pga_mps2=0.5,
        compared=True,
        sites={
            3.0: SiteResult(outcome=words[0], warning_s=warning_s),
            4.0: SiteResult(outcome=words[1], warning_s=None),
        },
    )


STATIONS = (
    station("CI.A", 5.0, 5.5, ("timely", "timely"), 8.0),
    station("CI.B", 5.0, 4.5, ("late", "missed"), -2.0),
    station("CI.C", 3.0, 4.5, ("timely", "precautionary"), 12.0),
    StationScore(station="CI.D", lat=35.0, lon=-117.0, distance_km=90.0, state="deaf"),
)


def folder(name: str = "us_quake", *, in_network: bool = True, **values: Any) -> FolderScore:
    """Make the score of a quake that was alerted 6 s after origin."""
    made = FolderScore(
        name=name,
        input_sha256={"waveforms.mseed": "ab" * 32},
        truth=replace(truth(), magnitude=6.1),
        expected=True,
        detected=True,
        events=EventCounts(alerted=1, matched=1, split=0, merged=0, phantom=0, withdrawn=0),
        phantoms=(),
        quiet_s=30.0,
        quiet_false=0,
        network=NetworkScore(
            stations=12, delivering=11, gap_deg=80.0, nearest_km=5.0, in_network=in_network
        ),
        first_pick_s=1.5,
        first_pick_known_s=2.3,
        first_solution_s=5.0,
        first_alert_s=6.0,
        floor_s=(1.6, 3.0, 5.0, 5.2, 5.4, 5.6),
        observed_floor_s=(1.5, 2.7, 4.8, 6.5, 7.0),
        snapshots={
            moment: snapshot(6.0 + n, 8.0 - n, -0.7 + 0.1 * n, 0.8)
            for n, moment in enumerate(MOMENTS)
        },
        trajectory=(
            MagnitudePoint(at_s=6.0, magnitude=5.4, sigma=0.4, lower_bound=True),
            MagnitudePoint(at_s=7.0, magnitude=5.9, sigma=0.3, lower_bound=False),
        ),
        best=BestScore(
            lat=35.78,
            lon=-117.6,
            depth_km=9.5,
            origin_time_s=-0.2,
            epicentre_km=1.5,
            h_sigma_km=1.4,
            n_picks=12,
            n_left_out=1,
            n_far=0,
            rms_s=0.24,
        ),
        scale="mmi",
        relation="bssa14",
        stations=STATIONS,
        published=(PublishedFigures(detector="other", t_s=7.5, figures={"epi_first_km": 9.0}),),
    )
    return replace(made, **values)


def missed(name: str = "zz_missed") -> FolderScore:
    """Make the score of a quake that nobody was told of."""
    return folder(
        name,
        in_network=False,
        detected=False,
        events=EventCounts(alerted=0, matched=0, split=0, merged=0, phantom=0, withdrawn=0),
        first_pick_s=None,
        first_pick_known_s=None,
        first_solution_s=None,
        first_alert_s=None,
        snapshots={},
        trajectory=(),
        stations=tuple(
            replace(one, predicted=None, predicted_pga_mps2=None, compared=False)
            for one in STATIONS
        ),
    )


def noise(name: str = "noise", *, alerted: int = 0) -> FolderScore:
    """Make the score of a recording of nothing, with so many false events."""
    return FolderScore(
        name=name,
        input_sha256={"waveforms.mseed": "cd" * 32},
        truth=None,
        expected=False,
        detected=False,
        events=EventCounts(
            alerted=alerted, matched=0, split=0, merged=0, phantom=alerted, withdrawn=0
        ),
        phantoms=tuple(
            Phantom(
                event_id=f"ev-{n}",
                alerted_ns=ORIGIN_NS + n * S,
                magnitude=4.2,
                lat=35.0,
                lon=-117.0,
                n_stations=4,
                after_quake=False,
                distance_km=None,
            )
            for n in range(alerted)
        ),
        quiet_s=1770.0,
        quiet_false=alerted,
    )
