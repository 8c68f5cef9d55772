"""The project's FDSN services, asked by ObsPy; and ``eew fetch`` from them, in fair and foul."""

from __future__ import annotations

import asyncio
import io
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import obspy
import pytest
from fastapi import FastAPI, Request, Response
from obspy.clients.fdsn import Client
from obspy.clients.fdsn.header import FDSNBadRequestException, FDSNNoDataException

from eew.app.fdsnws import holdings_of
from eew.app.fetch import Wanted, fetch_event
from eew.cli import run
from eew.clock import SystemClock
from eew.core.config import DetectorConfig
from eew.core.pipeline import Pipeline
from eew.errors import ConfigError, ConnectError, DataError, EewError, TransportError
from eew.ingest import read_quake_folder, write_quake_folder
from eew.ingest.fdsn_fetch import Fetched
from eew.ingest.fdsn_holdings import FdsnHoldings
from eew.model.event import Pick
from eew.model.waveform import Recording, SensorKind
from eew.service.fdsnws import create_fdsnws
from eew.service.server import HttpServer, listen, url_of
from simulator.schedule import Schedule
from tests.unit.ingest_cases import TRUTH, recording, segment, station, three_components

S = 1_000_000_000
CODES = ("XX.AAA", "XX.BBB", "XX.CCC", "YY.DDD")


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an application from a thread of its own; gives its URL."""
    sock = listen("127.0.0.1", 0)
    url = url_of(sock)
    server = HttpServer(app, sock)
    thread = threading.Thread(target=lambda: asyncio.run(server.run()))
    thread.start()
    try:
        yield url
    finally:
        server.stop()
        thread.join(10.0)
        assert not thread.is_alive()


def a_quake() -> Recording:
    """Four stations of 20 s near the quake of the tests; CCC has a velocity sensor only."""
    stations = [
        station(
            three_components(code, "HH" if code == "XX.CCC" else "HN"),
            kind=SensorKind.VELOCITY if code == "XX.CCC" else SensorKind.ACCELERATION,
            lat=35.1 + 0.05 * number,
        )
        for number, code in enumerate(CODES)
    ]
    return recording(stations, truth=TRUTH)


@pytest.fixture(scope="module")
def holdings(tmp_path_factory: pytest.TempPathFactory) -> FdsnHoldings:
    folder = tmp_path_factory.mktemp("holdings") / "quake"
    write_quake_folder(a_quake(), folder, "for a test")
    made = FdsnHoldings()
    made.add_folder(folder)
    return made


@pytest.fixture(scope="module")
def url(holdings: FdsnHoldings) -> Iterator[str]:
    with serving(create_fdsnws(holdings, title="test")) as address:
        yield address


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    return Client(url, timeout=10)


# ---------------------------------------------------------------- served to ObsPy
def test_obspy_finds_all_three_services_and_their_parameters(client: Client) -> None:
    assert {"dataselect", "station", "event"} <= set(client.services)
    assert client.get_webservice_version("station") == [1, 1, 1]
    assert "matchtimeseries" in client.services["station"]


def test_waveforms_come_as_they_were(client: Client) -> None:
    case = a_quake()
    start = obspy.UTCDateTime(ns=case.start_ns)

    stream = client.get_waveforms("*", "*", "*", "*", start - 60, start + 60)

    assert len(stream) == 12
    by_id = {trace.id: trace for trace in stream}
    for one in case.segments:
        trace = by_id[str(one.stream_id)]
        np.testing.assert_array_equal(trace.data, one.samples)
        assert abs(trace.stats.starttime.ns - one.start_ns) <= 1000


def test_a_window_cuts_to_the_samples_inside(client: Client) -> None:
    start = obspy.UTCDateTime(ns=a_quake().start_ns)

    stream = client.get_waveforms("XX", "A??", "", "HNZ", start + 2.004, start + 3.0)

    (trace,) = stream
    assert trace.stats.starttime - start == pytest.approx(2.01)
    assert trace.stats.endtime - start == pytest.approx(3.0)


def test_a_bulk_request_is_a_post(client: Client) -> None:
    start = obspy.UTCDateTime(ns=a_quake().start_ns)
    lines = [
        ("XX", "AAA", "", "HN?", start, start + 5),
        ("YY", "*", "*", "HNZ", start, start + 1),
        ("ZZ", "*", "*", "*", start, start + 1),
    ]
    assert sorted({trace.id for trace in client.get_waveforms_bulk(lines)}) == [
        "XX.AAA..HNE", "XX.AAA..HNN", "XX.AAA..HNZ", "YY.DDD..HNZ"
    ]  # fmt: skip
    inventory = client.get_stations_bulk(lines, level="channel")
    assert [station.code for network in inventory for station in network] == ["AAA", "DDD"]


def test_stations_by_distance_channel_and_level(client: Client) -> None:
    near = client.get_stations(latitude=35.1, longitude=-117.5, maxradius=0.07, level="response")
    assert [one.code for network in near for one in network] == ["AAA", "BBB"]
    response = near[0][0][0].response
    assert response.instrument_sensitivity.value == pytest.approx(213_979.5)
    velocity = client.get_stations(channel="HH?", level="channel")
    assert sorted(velocity.get_contents()["channels"]) == [f"XX.CCC..HH{c}" for c in "ENZ"]
    networks = client.get_stations(level="network", format="text")
    assert sorted(network.code for network in networks) == ["XX", "YY"]
    later = obspy.UTCDateTime(ns=TRUTH.origin_time_ns) + 1e6
    assert client.get_stations(starttime=later)  # no epoch ends
    with pytest.raises(FDSNNoDataException):
        client.get_stations(starttime=later, endtime=later + 60, matchtimeseries=True)


def test_events_by_magnitude_time_place_and_id(client: Client) -> None:
    (event,) = client.get_events(minmagnitude=6.0, latitude=35.0, longitude=-117.0, maxradius=1.0)
    origin = event.preferred_origin()
    assert origin.time.ns == pytest.approx(TRUTH.origin_time_ns, abs=1000)
    assert event.preferred_magnitude().mag == TRUTH.magnitude
    assert len(client.get_events(eventid=TRUTH.event_id)) == 1
    for query in ({"minmagnitude": 7.0}, {"maxdepth": 5.0}, {"starttime": origin.time + 1.0}):
        with pytest.raises(FDSNNoDataException):
            client.get_events(**query)


def test_text_is_the_table_of_the_specification(url: str) -> None:
    with urllib.request.urlopen(f"{url}/fdsnws/event/1/query?format=text") as answer:
        header, row = answer.read().decode().splitlines()
    assert header.startswith("#EventID|Time|Latitude|Longitude|Depth/km|Author|")
    cells = row.split("|")
    assert cells[0] == TRUTH.event_id
    assert cells[2:5] == ["35.2", "-117.25", "8.1"]
    assert cells[9:11] == ["Mw", "6.1"]


def test_what_is_wrong_is_told_with_400(client: Client, url: str) -> None:
    with pytest.raises(FDSNBadRequestException, match="maxlatitude: is below minlatitude"):
        client.get_stations(minlatitude=3, maxlatitude=2)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{url}/fdsnws/station/1/query?net=ZZ&nodata=404")
    assert caught.value.code == 404
    assert "no data match" in caught.value.read().decode()


def test_a_computed_event_is_served_too(project_root: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "small.toml"
    scenario.write_text(SMALL, encoding="utf-8")
    made = holdings_of([str(scenario)], seed=1)

    assert made.n_events == 1
    assert made.n_stations > 3


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no MiniSEED"):
        holdings_of([str(tmp_path)], seed=1)
    (tmp_path / "waveforms.mseed").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=r"waveforms\.mseed: not readable as MiniSEED"):
        holdings_of([str(tmp_path)], seed=1)


# ---------------------------------------------------------------- fetched
def fetch(
    url: str,
    out: Path,
    wanted: Wanted | None = None,
    said: list[str] | None = None,
    **settings: object,
) -> Fetched:
    return fetch_event(
        wanted or Wanted(event=TRUTH.event_id),
        out,
        client=url,
        settings={"before_s": 30.0, "after_s": 30.0, "radius_km": 100.0, **settings},
        user=None,
        clock=SystemClock(),
        say=(lambda _: None) if said is None else said.append,
    )[1]


def picks_of(case: Recording) -> list[tuple[str, int]]:
    pipeline = Pipeline(case.stations, DetectorConfig.load())
    found = []
    for step in Schedule(case, until_s=40.0, seed=1):
        events = (
            pipeline.receive(step.packets, step.now_ns)
            if step.packets
            else pipeline.advance(step.now_ns)
        )
        found += [(e.station, e.time_ns) for e in events if isinstance(e, Pick)]
    return found


def test_a_fetched_folder_is_the_original(url: str, tmp_path: Path) -> None:
    fetched = fetch(url, tmp_path / "got")

    case, got = a_quake(), read_quake_folder(tmp_path / "got")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["got"]
    assert [one.code for one in got.stations] == [one.code for one in case.stations]
    assert got.truth == TRUTH
    for a, b in zip(case.segments, got.segments, strict=True):
        assert a.stream_id == b.stream_id
        np.testing.assert_array_equal(a.samples, b.samples)
    assert fetched.problems == []
    source = (tmp_path / "got" / "SOURCE.txt").read_text()
    assert url in source
    assert "https://www.fdsn.org/networks/detail/XX/" in source


@pytest.mark.quakes
def test_a_recorded_quake_fetched_gives_the_same_picks(quakes_dir: Path, tmp_path: Path) -> None:
    name = "us20190706_m71_ridgecrest"
    with serving(create_fdsnws(holdings_of([str(quakes_dir / name)], seed=1), title="t")) as url:
        wanted = Wanted(
            time="2019-07-06T03:19:53.04", lat=35.7695, lon=-117.599, magnitude=7.1, depth_km=8.0
        )
        fetch(url, tmp_path / "got", wanted, before_s=300.0, after_s=300.0)

    original, got = read_quake_folder(quakes_dir / name), read_quake_folder(tmp_path / "got")
    assert [one.code for one in got.stations] == [one.code for one in original.stations]
    assert picks_of(got) == picks_of(original)
    assert len(picks_of(got)) >= 12


def test_only_the_nearest_and_the_wanted_are_fetched(url: str, tmp_path: Path) -> None:
    fetched = fetch(url, tmp_path / "a", max_stations=2)
    assert fetched.recording is not None
    assert len(fetched.recording.stations) == 2
    velocity = fetch(url, tmp_path / "b", channels=("HH?",))
    assert velocity.recording is not None
    assert [one.code for one in velocity.recording.stations] == ["XX.CCC"]


def test_place_and_time_are_enough(url: str, tmp_path: Path) -> None:
    origin = obspy.UTCDateTime(ns=TRUTH.origin_time_ns)
    wanted = Wanted(time=str(origin), lat=35.2, lon=-117.25, magnitude=6.1)
    fetched = fetch(url, tmp_path / "got", wanted)

    assert fetched.recording is not None
    assert fetched.recording.truth is not None
    assert fetched.recording.truth.magnitude == 6.1
    assert fetched.recording.truth.depth_km == 10.0


# ---------------------------------------------------------------- when things go wrong
Judge = Callable[[Request, bytes], "int | None"]


def troubled(holdings: FdsnHoldings, judge: Judge) -> FastAPI:
    """Serve as ever, but answer with the code that ``judge`` gives where it gives one."""
    app = create_fdsnws(holdings, title="trouble")

    @app.middleware("http")
    async def trouble(
        request: Request, go_on: Callable[[Request], asyncio.Future[Response]]
    ) -> Response:
        code = judge(request, await request.body())
        return await go_on(request) if code is None else Response("no", status_code=code)

    return app


def test_what_passes_is_tried_again(holdings: FdsnHoldings, tmp_path: Path) -> None:
    seen: list[str] = []

    def judge(request: Request, _: bytes) -> int | None:
        if not request.url.path.endswith("query"):
            return None
        seen.append(request.url.path)
        return 503 if seen.count(request.url.path) == 1 else None

    said: list[str] = []
    with serving(troubled(holdings, judge)) as url:
        fetched = fetch(url, tmp_path / "got", said=said)

    assert fetched.recording is not None
    assert len(fetched.recording.stations) == 4
    assert any("again in 1 s" in words for words in said)


def test_a_station_that_always_fails_is_left_out_and_listed(
    holdings: FdsnHoldings, tmp_path: Path
) -> None:
    def judge(_: Request, body: bytes) -> int | None:
        return 413 if b"BBB" in body or body.count(b"\n") > 2 else None

    with serving(troubled(holdings, judge)) as url:
        fetched = fetch(url, tmp_path / "got")

    assert fetched.recording is not None
    assert [one.code for one in fetched.recording.stations] == ["XX.AAA", "XX.CCC", "YY.DDD"]
    assert [one.where for one in fetched.problems] == ["XX.BBB"]
    assert "XX.BBB" in (tmp_path / "got" / "SOURCE.txt").read_text()


def test_a_station_without_data_is_listed(tmp_path: Path) -> None:
    case = a_quake()
    silent = [one for one in case.segments if one.stream_id.station != "AAA"]
    old = [
        segment(str(channel.stream_id), start_ns=TRUTH.origin_time_ns - 10_000 * S)
        for channel in case.stations[0].channels
    ]
    made = FdsnHoldings()
    made.add_recording(recording(case.stations, [*silent, *old], truth=TRUTH))
    with serving(create_fdsnws(made, title="test")) as url:
        fetched = fetch(url, tmp_path / "got")

    assert [(one.kind, one.where) for one in fetched.problems] == [("no_waveform", "XX.AAA")]


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (401, TransportError, "wants a login (these data are not open: --user"),
        (403, TransportError, "wants a login"),
        (204, DataError, "no station with HN?"),
        (404, DataError, "no station with HN?"),
        (400, TransportError, "stations: Bad request"),
    ],
)
def test_refusals_are_told_at_once(
    holdings: FdsnHoldings, tmp_path: Path, code: int, kind: type[EewError], words: str
) -> None:
    asked = []

    def judge(request: Request, _: bytes) -> int | None:
        if "station/1/query" not in request.url.path:
            return None
        asked.append(request.url.path)
        return code

    with (
        serving(troubled(holdings, judge)) as url,
        pytest.raises(kind) as caught,
    ):
        fetch(url, tmp_path / "got")
    assert words in str(caught.value)
    assert str(caught.value).startswith(url)
    assert len(asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_no_data_at_all_leaves_no_folder(holdings: FdsnHoldings, tmp_path: Path) -> None:
    def judge(request: Request, _: bytes) -> int | None:
        return 204 if "dataselect/1/query" in request.url.path else None

    with (
        serving(troubled(holdings, judge)) as url,
        pytest.raises(DataError, match="4 stations, but no data of this time"),
    ):
        fetch(url, tmp_path / "got")
    assert list(tmp_path.iterdir()) == []


def test_no_such_event_names_what_there_is(url: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no event 'us1' there \(a name of eew events list, "):
        fetch(url, tmp_path / "got", Wanted(event="us1"))


@pytest.mark.parametrize(
    ("where", "kind", "words"),
    [
        ("http://127.0.0.1:10", ConnectError, "cannot connect to 127.0.0.1:10: connection refused"),
        ("http://nowhere.invalid", ConnectError, "unknown host nowhere.invalid"),
        ("NOWHERE", ConfigError, "--client: 'NOWHERE' is no URL and no known centre"),
        ("ftp://host", ConfigError, "--client"),
        ("http://u:p@host", ConfigError, "--user"),
    ],
)
def test_no_network_and_no_centre_are_told(
    tmp_path: Path, where: str, kind: type[EewError], words: str
) -> None:
    with pytest.raises(kind) as caught:
        fetch(where, tmp_path / "got")
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_server_without_fdsn_services_is_told(tmp_path: Path) -> None:
    with serving(FastAPI()) as url, pytest.raises(ConnectError, match="No FDSN services"):
        fetch(url, tmp_path / "got")


def test_a_folder_in_use_is_not_touched(url: str, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"--out: .* is there already"):
        fetch(url, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "--time: is missing, as --lat, --lon, --mag"),
        (("us1", "--mag", "5"), "--mag: is known from EVENT"),
        (("--time", "now", "--lat", "1", "--lon", "2", "--mag", "3"), "--time: 'now' is no UTC"),
        (("--time", "2020-01-01", "--lat", "99", "--lon", "2", "--mag", "3"), "--lat: must be"),
        (
            ("--time", "2020-01-01", "--lat", "9", "--lon", "2", "--mag", "3", "--after-s", "1"),
            "--after-s: must be 10 to 7200, was 1",
        ),
    ],
)
def test_the_command_names_what_is_wrong(
    args: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(("fetch", *args, "--out", str(tmp_path / "got"))) == 2
    assert words in capsys.readouterr().err


def test_the_command_says_what_was_fetched(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "got"
    settings = ("--before-s", "30", "--after-s", "30", "--client", url, "--out", str(out))
    assert run(("fetch", TRUTH.event_id, *settings)) == 0

    shown = capsys.readouterr().out
    assert shown.startswith("SIMULATION  M6.1 xx2020_m61: 4 of 4 stations, 12 channels")
    assert f"next: eew replay {out}" in shown


def test_miniseed_goes_into_the_folder_as_it_was_sent(url: str, tmp_path: Path) -> None:
    fetch(url, tmp_path / "got")
    data = (tmp_path / "got" / "waveforms.mseed").read_bytes()

    assert len(data) % 512 == 0
    assert len(obspy.read(io.BytesIO(data))) == 12


SMALL = """
title = "A small quake for tests, M5.5"
region = "sichuan_basin"
country = "CN"
languages = ["en"]
[event]
id = "small"
origin_time = 2021-09-15T20:33:31Z
lat = 29.20
lon = 105.34
depth_km = 10.0
magnitude = 5.5
magnitude_type = "M"
[network]
spacing_km = 12.0
outer_spacing_km = 15.0
dense_radius_km = 20.0
radius_km = 25.0
sampling_rate_hz = 50.0
sensor = "mems"
[noise]
level = 0.5
spread = 0.1
[record]
before_s = 15.0
after_s = 20.0
"""
