"""map.png and section.png: drawn, marked, and the same bytes each time."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from eew.model.waveform import Segment
from eew.report.canvas import drawable, event_words, figure, headline
from eew.report.map_plot import map_png, place_words
from eew.report.result import RunResult
from eew.report.section_plot import section_png
from tests.unit.run_example import changed, recording, result, station

pytestmark = pytest.mark.slow  # for `make check`: whole runs, records or figures

PNG = b"\x89PNG\r\n\x1a\n"


def chunks(png: bytes) -> list[bytes]:
    """Return the names of a PNG's chunks."""
    names, at = [], len(PNG)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        names.append(png[at + 4 : at + 8])
        at += 12 + length
    return names


RUNS = {
    "alerted": result(),
    "no truth": result(with_truth=False),
    "no alert": result(alerted=False),
    "neither": result(with_truth=False, alerted=False),
    "stopped": result(complete=False),
    "no pick": changed(result(with_truth=False, alerted=False), picks=()),
}


@pytest.mark.parametrize("name", RUNS)
def test_every_kind_of_run_can_be_drawn(name: str) -> None:
    for data in (map_png(RUNS[name]), section_png(RUNS[name])):
        assert data.startswith(PNG)
        assert len(data) > 10_000


def test_two_drawings_give_the_same_bytes_without_program_or_date() -> None:
    for draw in (map_png, section_png):
        data = draw(result())
        assert draw(result()) == data
        assert not {b"tEXt", b"iTXt", b"tIME"} & set(chunks(data))


def test_settings_of_the_users_matplotlib_change_nothing() -> None:
    import matplotlib as mpl

    plain = section_png(result())
    with mpl.rc_context({"font.size": 20.0, "axes.facecolor": "black", "savefig.dpi": 30.0}):
        assert section_png(result()) == plain


def texts(run: RunResult) -> str:
    with figure(6.0, 6.0) as made:
        headline(made, run, "what")
        return " ".join(text.get_text() for text in made.texts)


def test_every_figure_carries_the_simulation_mark() -> None:
    assert "SIMULATION" in texts(result())
    assert "STOPPED EARLY" not in texts(result())
    assert "STOPPED EARLY" in texts(result(complete=False))


def test_the_title_names_the_quake_or_that_none_is_known() -> None:
    assert "M7.1" in event_words(result())
    assert "no catalogue event" in event_words(result(with_truth=False))


def test_letters_the_font_lacks_are_replaced_not_warned_about() -> None:
    assert drawable("Łódź") == "Łódź"
    assert drawable("泸定 Luding") == "?? Luding"


def test_a_place_carries_its_lead_time_with_its_sign() -> None:
    late, timely = result().targets[:2]

    assert place_words(late) == "Ridgecrest  -1 s"
    assert place_words(timely) == "Bakersfield  +35 s"


def with_samples(run: RunResult, samples: np.ndarray) -> RunResult:
    segments = tuple(
        Segment(
            stream_id=one.stream_id,
            start_ns=one.start_ns,
            sampling_rate_hz=one.sampling_rate_hz,
            samples=samples,
        )
        for one in run.recording.segments
    )
    return changed(run, recording=replace(run.recording, segments=segments))


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(4000, dtype=np.int32),
        np.full(4000, np.nan),
        np.array([1.0]),
        np.where(np.arange(4000) % 7 == 0, np.nan, 5.0),
    ],
    ids=["dead", "nan", "one sample", "holes"],
)
def test_records_with_nothing_to_draw_do_not_stop_the_drawing(samples: np.ndarray) -> None:
    assert section_png(with_samples(result(), samples)).startswith(PNG)


def test_one_station_and_a_network_across_the_date_line_can_be_drawn() -> None:
    run = result()
    alone = replace(run.recording, stations=run.recording.stations[:1])
    assert map_png(changed(run, recording=alone)).startswith(PNG)
    assert section_png(changed(run, recording=alone)).startswith(PNG)

    across = replace(
        recording(2, with_truth=False),
        stations=(station("NZ.A", -37.0, 179.8), station("NZ.B", -37.3, -179.7)),
    )
    assert map_png(changed(result(with_truth=False), recording=across, targets=())).startswith(PNG)
