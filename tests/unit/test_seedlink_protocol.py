"""The conversation with a SeedLink client, without sockets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.seedlink.actions import Action, AskInfo, Close, Phase, Send, StartTransfer
from simulator.seedlink.protocol import CAPABILITIES, Conversation
from simulator.seedlink.selection import Selection, Start
from simulator.seedlink.times import parse_time

STATIONS = frozenset({"XX_S0000", "XX_S0001", "YY_FAR"})
T0_NS = 1_662_364_372 * 10**9  # 2022-09-05T07:52:52Z


def conversation() -> Conversation:
    return Conversation("eew 1", "SIMULATION", lambda: STATIONS)


def said(actions: list[Action]) -> bytes:
    return b"".join(action.data for action in actions if isinstance(action, Send))


def started(actions: list[Action]) -> Selection:
    (selection,) = [one.selection for one in actions if isinstance(one, StartTransfer)]
    return selection


def test_hello_names_the_versions_in_one_piece() -> None:
    (hello,) = conversation().receive(b"HELLO\r\n")
    assert hello == Send(f"SeedLink v4.0 (eew 1) :: {CAPABILITIES}\r\nSIMULATION\r\n".encode())
    assert "SLPROTO:4.0" in CAPABILITIES
    assert "SLPROTO:3.1" in CAPABILITIES


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r"])
def test_any_line_end_will_do(end: bytes) -> None:
    talk = conversation()
    assert said(talk.receive(b"station s0000 xx" + end + b"SELECT HN?" + end)) == b"OK\r\nOK\r\n"
    assert talk.commands == 2


def test_multi_station_handshake_of_version_3() -> None:
    talk = conversation()
    actions = talk.receive(
        b"STATION S0000 XX\rSELECT HN?\rSELECT !HNE\rDATA 0xAB12\r"
        b"STATION * YY\rFETCH\rSTATION S0001 XX\rTIME 2022,9,5,7,52,52 2022,9,5,7,53,52\rEND\r"
    )
    assert said(actions) == b"OK\r\n" * 8
    selection = started(actions)
    assert talk.phase is Phase.TRANSFER
    assert selection.version == 3
    assert not selection.is_dialup
    # what is named stands before what a wildcard covers
    assert [one.station for one in selection.requests] == ["XX_S0000", "XX_S0001", "YY_*"]
    first, second, third = selection.requests
    assert [one.text for one in first.selectors] == ["HN?", "!HNE"]
    assert first.start == Start(seq=0xAB12)
    assert second.start == Start(from_oldest=True, begin_ns=T0_NS, end_ns=T0_NS + 60 * 10**9)
    assert third.start == Start()


def test_uni_station_mode_starts_at_once_and_without_ok() -> None:
    talk = conversation()
    assert said(talk.receive(b"SELECT HNZ\r\n")) == b"OK\r\n"
    actions = talk.receive(b"DATA\r\n")
    assert said(actions) == b""
    (request,) = started(actions).requests
    assert request.station == "*"


def test_fetch_is_dialup() -> None:
    assert started(conversation().receive(b"FETCH 1\r")).is_dialup
    talk = conversation()
    actions = talk.receive(b"STATION S0000 XX\rFETCH\rEND\r")
    assert started(actions).is_dialup


def test_the_number_after_the_largest_is_0_and_the_time_stays_beside_it() -> None:
    (request,) = started(conversation().receive(b"DATA 1000000 2022,9,5,7,52,52\r")).requests
    assert request.start == Start(seq=0, after_ns=T0_NS)


def test_handshake_of_version_4() -> None:
    talk = conversation()
    actions = talk.receive(
        b"HELLO\r\nSLPROTO 4.0\r\nUSERAGENT mine/1 lib/2\r\nGETCAPABILITIES\r\n"
        b"STATION XX_*\rSELECT *_H_N_?\rDATA ALL 2022-09-05T07:52:52.25Z\r"
        b"STATION XX_S0001\rDATA 12345678901234\rSTATION YY_FAR\rDATA\rEND\r\n"
    )
    replies = said(actions).split(b"\r\n")[2:]
    assert replies == [b"OK", b"OK", CAPABILITIES.encode(), *[b"OK"] * 7, b""]
    assert (talk.version, talk.user_agent) == (4, "mine/1 lib/2")
    selection = started(actions)
    # the order is the client's: the wildcard came first
    assert [one.station for one in selection.requests] == ["XX_*", "XX_S0001", "YY_FAR"]
    starts = [one.start for one in selection.requests]
    assert starts[0] == Start(from_oldest=True, begin_ns=T0_NS + 250_000_000)
    assert starts[1:] == [Start(seq=12345678901234), Start()]
    assert not selection.is_dialup


def test_endfetch_is_dialup() -> None:
    actions = conversation().receive(b"SLPROTO 4.0\rSTATION *\rDATA ALL\rENDFETCH\r")
    assert started(actions).is_dialup


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("SLPROTO 4.0|STATION XX_S0000|SELECT", "ARGUMENTS"),
        ("SLPROTO 4.0|STATION XX_S0000 YY", "ARGUMENTS"),
        ("SLPROTO 4.0|STATION ZZ_*", "ARGUMENTS"),
        ("SLPROTO 4.0|SELECT *", "UNEXPECTED"),
        ("SLPROTO 4.0|DATA", "UNEXPECTED"),
        ("SLPROTO 4.0|END", "UNEXPECTED"),
        ("SLPROTO 4.0|STATION XX_S0000|DATA FF", "ARGUMENTS"),
        ("SLPROTO 4.0|STATION XX_S0000|DATA 18446744073709551616", "ARGUMENTS"),
        ("SLPROTO 4.0|STATION XX_S0000|DATA ALL yesterday", "ARGUMENTS"),
        ("SLPROTO 4.0|STATION XX_S0000|DATA ALL 2022-09-05T07:52:52Z 2022-09-05Z", "ARGUMENTS"),
        ("SLPROTO 4.0|CAT", "UNSUPPORTED"),
        ("SLPROTO 4.0|BATCH", "UNSUPPORTED"),
        ("SLPROTO 4.0|FETCH", "UNSUPPORTED"),
        ("SLPROTO 4.0|USERAGENT", "ARGUMENTS"),
        ("SLPROTO 4.0|SLPROTO 3.1", "UNEXPECTED"),
        ("SLPROTO 4.0|" + "X" * 2000, "LIMIT"),
        ("SLPROTO 4.0|AUTH USERPASS a b", "UNSUPPORTED"),
    ],
)
def test_version_4_says_what_is_wrong(lines: str, code: str) -> None:
    talk = conversation()
    replies = said(talk.receive(lines.replace("|", "\r\n").encode() + b"\r\n")).split(b"\r\n")
    assert replies[-2].startswith(f"ERROR {code} ".encode())
    assert talk.errors == 1


@pytest.mark.parametrize(
    "line",
    [
        "SLPROTO 5.0",
        "STATION NONE XX",
        "STATION",
        "SELECT H_N_Z",
        "SELECT a b",
        "DATA 12345678",
        "DATA -2",
        "TIME",
        "TIME 2022,13,5",
        "TIME 2022,9,5,7,52,52 2022,9,4,7,52,52",
        "END",
        "ENDFETCH",
        "CAPABILITIES FLYING",
        "NONSENSE",
    ],
)
def test_version_3_says_only_error_unless_more_is_wanted(line: str) -> None:
    talk = conversation()
    assert said(talk.receive(line.encode() + b"\r")) == b"ERROR\r\n"
    if line.startswith("SLPROTO"):
        return
    talk = conversation()
    reply = said(talk.receive(b"CAPABILITIES EXTREPLY\r" + line.encode() + b"\r"))
    assert reply.startswith(b"OK\r\nERROR\r")
    assert len(reply) > len(b"OK\r\nERROR\r\r\n")


def test_a_refused_station_takes_its_selectors_with_it() -> None:
    talk = conversation()
    reply = said(talk.receive(b"STATION S0000 XX\rDATA\rSTATION NO XX\rSELECT HNZ\rDATA\r"))
    assert reply == b"OK\r\nOK\r\nERROR\r\nERROR\r\nERROR\r\n"
    (request,) = started(talk.receive(b"END\r")).requests
    assert (request.station, request.selectors) == ("XX_S0000", ())


def test_batch_is_silent() -> None:
    talk = conversation()
    assert said(talk.receive(b"BATCH\r")) == b"OK\r\n"
    actions = talk.receive(b"STATION S0000 XX\rSTATION NO XX\rSTATION S0000 XX\rDATA\rEND\r")
    assert said(actions) == b""
    assert [one.station for one in started(actions).requests] == ["XX_S0000"]


def test_select_without_a_pattern_starts_over() -> None:
    talk = conversation()
    (request,) = started(talk.receive(b"SELECT HNZ\rSELECT\rSELECT HNE\rDATA\r")).requests
    assert [one.text for one in request.selectors] == ["HNE"]


def test_cat_lists_the_stations() -> None:
    assert said(conversation().receive(b"CAT\r")) == b"XX S0000\r\nXX S0001\r\nYY FAR\r\nEND"


def test_info_goes_to_the_shell() -> None:
    talk = conversation()
    assert talk.receive(b"INFO streams\r") == [AskInfo(3, "STREAMS")]
    talk.receive(b"SLPROTO 4.0\r")
    talk = conversation()
    talk.receive(b"SLPROTO 4.0\r")
    assert talk.receive(b"INFO STREAMS XX_* *_H_N_?\r") == [
        AskInfo(4, "STREAMS", "XX_*", "*_H_N_?")
    ]
    (wrong,) = talk.receive(b"INFO WEATHER\r")
    assert isinstance(wrong, AskInfo)
    assert wrong.error is not None


def test_only_info_and_bye_during_the_transfer() -> None:
    talk = conversation()
    talk.receive(b"DATA\r")
    assert talk.receive(b"INFO ID\r") == [AskInfo(3, "ID")]
    assert said(talk.receive(b"STATION S0000 XX\r")) == b"ERROR\r\n"
    assert talk.receive(b"BYE\r") == [Close()]
    talk = conversation()
    talk.receive(b"SLPROTO 4.0\rSTATION *\rDATA\rEND\r")
    # between packets, version 4 says it in a packet
    (wrong,) = talk.receive(b"STATION *\r")
    assert isinstance(wrong, AskInfo)
    assert wrong.error is not None
    assert wrong.error[0] == "UNEXPECTED"


def test_after_end_only_bye_is_heard() -> None:
    talk = conversation()
    talk.receive(b"FETCH\r")
    talk.phase = Phase.ENDED
    assert talk.receive(b"INFO ID\rHELLO\r") == []
    assert talk.receive(b"BYE\r") == [Close()]


def test_empty_lines_are_nothing() -> None:
    talk = conversation()
    assert talk.receive(b"\r\n \r\n\t\r\n\n") == []
    assert talk.commands == 0


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    talk = conversation()
    for _ in range(1000):
        assert talk.receive(b"A" * 1000) == []
    assert len(talk._buffer) <= 2048
    assert said(talk.receive(b"\rHELLO\r")).startswith(b"ERROR\r\nSeedLink")


_WORDS = st.sampled_from(
    [
        *("HELLO", "SLPROTO", "USERAGENT", "GETCAPABILITIES", "STATION", "SELECT", "DATA", "END"),
        *("ENDFETCH", "FETCH", "TIME", "CAT", "BATCH", "CAPABILITIES", "EXTREPLY", "INFO", "BYE"),
        *("ID", "STREAMS", "4.0", "3.1", "XX_S0000", "XX_*", "*", "S0000", "XX", "HN?", "!HNZ"),
        *("*_H_N_?", "ALL", "-1", "0xFF", "99", "2022,9,5", "2022-09-05T00:00:00Z", "é"),
    ]
)
_LINES = st.lists(_WORDS, min_size=1, max_size=4).map(" ".join)
_SESSIONS = st.lists(st.one_of(_LINES.map(str.encode), st.binary(max_size=40)), max_size=15).map(
    b"\r\n".join
)


@settings(deadline=None, max_examples=300)
@given(_SESSIONS)
def test_whatever_comes_nothing_is_raised_and_every_command_is_answered(session: bytes) -> None:
    talk = conversation()
    actions = talk.receive(session + b"\r\n")
    assert sum(isinstance(one, StartTransfer) for one in actions) <= 1
    if b"BATCH" in session.upper() or talk.phase is Phase.ENDED:
        return
    assert len(actions) == talk.commands  # an answer, or the start of the transfer
    errors = [one for one in actions if isinstance(one, AskInfo) and one.error is not None]
    spoken = [one for one in actions if isinstance(one, Send) and one.data.startswith(b"ERROR")]
    assert len(errors) + len(spoken) == talk.errors


@settings(deadline=None)
@given(_SESSIONS, st.lists(st.integers(1, 30), min_size=1, max_size=30))
def test_cutting_the_bytes_differently_changes_nothing(session: bytes, cuts: list[int]) -> None:
    whole, pieces = conversation(), conversation()
    actions = []
    rest = session
    for cut in cuts:
        actions += pieces.receive(rest[:cut])
        rest = rest[cut:]
    actions += pieces.receive(rest)
    assert actions == whole.receive(session)


@given(st.text("0123456789,-:TZ.", max_size=30), st.sampled_from([3, 4]))
def test_no_time_breaks_the_reader(text: str, version: int) -> None:
    talk = conversation()
    talk.receive(b"SLPROTO 4.0\rSTATION *\r" if version == 4 else b"STATION * *\r")
    command = f"DATA ALL {text}\r" if version == 4 else f"TIME {text}\r"
    assert len(talk.receive(command.encode())) == 1


def test_times_are_utc_to_the_nanosecond() -> None:
    assert parse_time("2022-09-05T07:52:52.123456789Z", 4) == T0_NS + 123_456_789
    assert parse_time("2022-9-5", 4) == T0_NS // 86400_000_000_000 * 86400_000_000_000
    assert parse_time("2022,9,5,7,52,52", 3) == T0_NS
