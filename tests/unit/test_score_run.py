"""A recording through the detector and the score, and the command around it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eew.app.options import RunOptions
from eew.app.score_recording import score_recording
from eew.app.score_run import find_folders, score_folders
from eew.cli import run
from eew.errors import ConfigError, MetadataError
from eew.ingest import write_quake_folder
from eew.model.waveform import Recording
from eew.physics.traveltime import TravelTimes
from eew.report.score_result import MOMENTS, FolderScore
from tests.unit.run_example import ORIGIN_NS, S, distance_km, recording, truth

pytestmark = pytest.mark.slow  # replays in processes of its own

OPTIONS = RunOptions(seed=0, packet_s=0.5, delay_s=0.3, broker="none")
QUAKE = recording()


@pytest.fixture(scope="module")
def score() -> FolderScore:
    return score_recording(QUAKE, OPTIONS)


# ------------------------------------------------------------------ one recording


def test_a_quake_amid_its_stations_is_alerted_once_and_located(score: FolderScore) -> None:
    assert score.expected
    assert score.detected
    assert (score.events.alerted, score.events.matched, score.events.phantom) == (1, 1, 0)
    assert tuple(score.snapshots) == MOMENTS
    assert score.snapshots["final"].epicentre_km < 5.0
    assert score.best is not None
    assert score.best.epicentre_km < 3.0


def test_no_pick_is_known_before_its_packet_and_no_alert_before_its_pick(
    score: FolderScore,
) -> None:
    assert score.first_pick_s is not None
    assert score.first_pick_known_s is not None
    assert score.first_solution_s is not None
    assert score.first_alert_s is not None
    # link delay 0.3 s; a pick waits for samples behind the onset
    assert score.first_pick_known_s > score.first_pick_s + 0.3
    assert score.first_pick_known_s <= score.first_solution_s <= score.first_alert_s
    assert score.first_pick_s == pytest.approx(score.observed_floor_s[0], abs=0.01)


def test_the_snapshots_follow_the_first_alert(score: FolderScore) -> None:
    assert score.first_alert_s is not None
    at_s = {moment: one.at_s - score.first_alert_s for moment, one in score.snapshots.items()}

    assert at_s["first"] == 0.0
    assert at_s["+5"] == pytest.approx(5.0)
    assert at_s["final"] > 0.0
    assert score.trajectory[0].at_s == pytest.approx(score.first_alert_s)
    first = score.snapshots["first"].magnitude
    assert score.trajectory[0].magnitude == pytest.approx(truth().magnitude + first)


def test_a_slower_link_makes_a_later_alert_and_leaves_the_floor(score: FolderScore) -> None:
    slow = score_recording(QUAKE, replace(OPTIONS, delay_s=2.3))

    assert slow.first_alert_s is not None
    assert score.first_alert_s is not None
    assert slow.first_alert_s - score.first_alert_s == pytest.approx(2.0, abs=1.1)
    assert slow.observed_floor_s == score.observed_floor_s
    assert slow.best == score.best


def test_every_station_gets_a_word_at_every_threshold(score: FolderScore) -> None:
    place = {one.code: one for one in QUAKE.stations}
    times = TravelTimes.load()
    assert {one.state for one in score.stations} == {"good"}
    for one in score.stations:
        assert set(one.sites) == {3.0, 4.0, 5.0, 6.0}
        for threshold, site in one.sites.items():
            assert one.observed is not None
            reached = one.observed >= threshold
            assert (site.outcome in ("timely", "late", "missed")) is reached
        # the alert cannot come before the first P anywhere, S not before its time
        strongest = one.sites[6.0].warning_s
        if strongest is not None and score.first_alert_s is not None:
            told_s = score.first_alert_s
            s_s = float(times.s_s(distance_km(place[one.station]), truth().depth_km))
            assert strongest <= s_s + 5.0 - told_s


def test_a_dead_station_is_left_out_and_counted() -> None:
    code = QUAKE.stations[2].code
    dead = replace(
        QUAKE,
        segments=tuple(
            replace(one, samples=np.full_like(one.samples, 2000))
            if one.stream_id.station_code == code
            else one
            for one in QUAKE.segments
        ),
    )

    states = {one.station: one.state for one in score_recording(dead, OPTIONS).stations}

    assert states.pop(code) == "dead"
    assert set(states.values()) == {"good"}


def test_a_record_far_too_weak_for_its_place_is_implausible() -> None:
    code = QUAKE.stations[2].code
    weak = replace(
        QUAKE,
        stations=tuple(
            replace(
                one,
                channels=tuple(
                    replace(channel, sensitivity=channel.sensitivity * 1e3)
                    for channel in one.channels
                ),
            )
            if one.code == code
            else one
            for one in QUAKE.stations
        ),
    )

    states = {one.station: one.state for one in score_recording(weak, OPTIONS).stations}

    assert states[code] == "implausible"


def test_an_event_where_the_catalogue_has_none_is_a_phantom() -> None:
    blind = score_recording(recording(with_truth=False), OPTIONS)

    assert not blind.expected
    assert blind.quiet_false == 1
    assert blind.phantoms[0].n_stations >= 3
    assert not blind.phantoms[0].after_quake
    assert blind.stations == ()


def test_an_event_elsewhere_is_a_phantom_and_the_quake_is_missed() -> None:
    elsewhere = replace(QUAKE, truth=replace(truth(), lat=truth().lat + 2.5))

    found = score_recording(elsewhere, OPTIONS)

    assert found.expected
    assert not found.detected
    assert found.phantoms[0].after_quake
    assert found.phantoms[0].distance_km == pytest.approx(277.0, abs=10.0)
    assert found.quiet_false == 0
    assert {site.outcome for one in found.stations for site in one.sites.values()} <= {
        "missed",
        "false",
        "not_needed",
    }


def test_an_event_under_a_far_quake_is_false_noise() -> None:
    far = replace(QUAKE, truth=replace(truth(), lat=-31.0, lon=60.0))

    found = score_recording(far, OPTIONS)

    assert not found.expected
    assert found.quiet_false == 1


def test_an_event_that_the_origin_time_does_not_fit_is_not_the_quake() -> None:
    early = replace(QUAKE, truth=replace(truth(), origin_time_ns=ORIGIN_NS - 40 * S))

    assert not score_recording(early, OPTIONS).detected


# ------------------------------------------------------------------ folders


@pytest.fixture(scope="module")
def quakes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("quakes")
    named = replace(QUAKE, truth=replace(truth(), event_id="ridgecrest"))  # ':' is no file name
    for name, made in (("b_quake", named), ("a_noise", quiet())):
        write_quake_folder(replace(made, name=name), place / name, "made by a test")
    (place / "README.md").write_text("not a quake\n")
    return place


def quiet() -> Recording:
    """Cut the recording before its first P."""
    return replace(
        QUAKE,
        truth=None,
        segments=tuple(
            replace(one, samples=one.samples[: round(20 * one.sampling_rate_hz)])
            for one in QUAKE.segments
        ),
    )


def test_a_folder_of_folders_stands_for_those_inside_sorted(quakes: Path) -> None:
    assert [one.name for one in find_folders([quakes])] == ["a_noise", "b_quake"]
    assert find_folders([quakes / "b_quake", quakes]) == find_folders([quakes])


@pytest.mark.parametrize(
    ("name", "words"), [("nowhere", "no such folder"), ("empty", r"no \*\.mseed in")]
)
def test_a_folder_without_quakes_is_named(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "empty" / "inside").mkdir(parents=True)

    with pytest.raises(ConfigError, match=words):
        find_folders([tmp_path / name])


def test_two_folders_of_one_name_are_refused(quakes: Path, tmp_path: Path) -> None:
    (tmp_path / "b_quake").mkdir()
    (tmp_path / "b_quake" / "waveforms.mseed").write_bytes(b"")

    with pytest.raises(ConfigError, match="two folders are called 'b_quake'"):
        find_folders([quakes, tmp_path / "b_quake"])


@pytest.mark.slow
def test_two_processes_give_the_same_as_one_and_a_bad_folder_stops_both(
    quakes: Path, tmp_path: Path
) -> None:
    folders = find_folders([quakes])
    seen: list[tuple[str, int]] = []

    alone = score_folders(folders, OPTIONS)
    shared = score_folders(
        folders, OPTIONS, jobs=2, progress=lambda name, done: seen.append((name, done))
    )

    assert shared == alone
    assert sorted(name for name, _ in seen) == ["a_noise", "b_quake"]
    assert [done for _, done in seen] == [1, 2]
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "waveforms.mseed").write_bytes((folders[0] / "waveforms.mseed").read_bytes())
    with pytest.raises(MetadataError, match="no StationXML"):
        score_folders([folders[0], bad], OPTIONS, jobs=2)


# ------------------------------------------------------------------ command


def command(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = run(["score", *args])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_the_command_prints_tables_and_writes_what_it_is_asked_to(
    quakes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "score"

    code, shown, complaint = command(capsys, str(quakes), "--out", str(out))

    assert (code, complaint) == (0, "")
    assert shown.startswith("SIMULATION")
    assert "b_quake" in shown
    assert "detected       1 of 1 quakes" in shown
    assert max(map(len, shown.splitlines())) <= max(100, len(str(out)) + 20)
    assert (out / "errors.png").is_file()
    assert json.loads((out / "score.json").read_text())["totals"]["detected"] == 1


def test_the_document_goes_to_stdout_alone_and_compares_with_itself(
    quakes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document, complaint = command(capsys, str(quakes), "--json")
    assert (code, complaint) == (0, "")
    old = tmp_path / "old.json"
    old.write_text(document)

    code, shown, complaint = command(capsys, str(quakes), "--json", "--compare", str(old))

    assert (code, complaint) == (0, "")
    again = json.loads(shown)
    comparison = again.pop("comparison")
    assert again == json.loads(document)
    assert comparison["failed"] == 0


def test_a_figure_that_got_too_much_worse_ends_with_5_and_is_named(
    quakes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text, _ = command(capsys, str(quakes), "--json")
    document = json.loads(text)
    document["folders"]["b_quake"]["times_s"]["first_alert"] -= 2.0
    old = tmp_path / "old.json"
    old.write_text(json.dumps(document))

    code, shown, complaint = command(capsys, str(quakes), "--compare", str(old))

    assert code == 5
    assert "b_quake times_s.first_alert" in complaint
    assert complaint.count("\n") == 1
    assert "too much worse" in shown


def test_published_figures_stand_in_the_table(
    quakes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rival-measured.csv").write_text("folder,t_s\nb_quake,99.5\n")

    code, shown, _ = command(capsys, str(quakes), "--published", str(tmp_path))

    assert code == 0
    assert "99.5" in shown
    assert "we are earlier in 1 of 1 folders" in shown


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--packet", "0.01"], 2, "--packet: must be 0.1 to 10 s"),
        (["--delay", "-1"], 2, "--delay: must be 0 to 60 s"),
        (["--jobs", "0"], 2, "--jobs: must be 1 or more, was 0"),
        (["--compare", "nowhere.json"], 3, "nowhere.json"),
        (["--published", "."], 3, "holds no *-measured.csv"),
        (["--out", "README.md"], 2, "is a file"),
    ],
)
def test_a_wrong_setting_is_named_before_any_work(
    quakes: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    args: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(quakes)

    found, shown, complaint = command(capsys, str(quakes), *args)

    assert found == code
    assert words in complaint
    assert shown == ""


def test_help_needs_nothing_heavy(capsys: pytest.CaptureFixture[str]) -> None:
    before = {name for name in ("obspy", "matplotlib") if name in sys.modules}

    code, shown, _ = command(capsys, "--help")

    assert code == 0
    assert "--compare" in shown
    assert {name for name in ("obspy", "matplotlib") if name in sys.modules} == before
