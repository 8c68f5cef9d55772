"""The alert on the wire: what it holds, what it refuses, and that it comes back unchanged."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.locality import estimate_here
from eew.core.config import DetectorConfig
from eew.errors import WireError
from eew.messages.seal import Keyring
from eew.messages.wire import MAX_PAYLOAD_BYTES, SCHEMA, decode, encode
from eew.messages.wire_schema import GROUPS, MAX_OBSERVED
from eew.model.alert import (
    AlertMagnitude,
    AlertMessage,
    AlertOrigin,
    AlertPrediction,
    AlertQuality,
    AlertTrace,
    CancelReason,
    MsgType,
    ObservedShaking,
    Status,
)
from tests.unit.message_cases import KEYS, make_message, payload_of

TIMES = st.integers(1_500_000_000 * 10**9, 1_900_000_000 * 10**9)
OFFSETS_MS = st.integers(-100_000_000, 100_000_000)


def decimals(low: float, high: float, digits: int) -> st.SearchStrategy[float]:
    """Numbers that the wire carries exactly."""
    scale = 10**digits
    return st.integers(round(low * scale), round(high * scale)).map(lambda n: n / scale)


@st.composite
def messages(draw: st.DrawFn) -> AlertMessage:
    kind = draw(st.sampled_from(MsgType))
    issued_ns = draw(TIMES)

    def near() -> int:
        return issued_ns + draw(OFFSETS_MS) * 1_000_000

    lat, lon = decimals(-90, 90, 2), decimals(-180, 180, 2)
    return AlertMessage(
        event_id=draw(st.from_regex(r"[A-Za-z0-9._:-]{1,40}", fullmatch=True)),
        serial=draw(st.integers(1, 9999)),
        msg_type=kind,
        status=draw(st.sampled_from(Status)),
        issued_ns=issued_ns,
        expires_ns=issued_ns + draw(st.integers(1, 10**7)) * 1_000_000,
        origin=AlertOrigin(
            time_ns=near(),
            lat=draw(decimals(-90, 90, 4)),
            lon=draw(decimals(-180, 180, 4)),
            depth_km=draw(decimals(0, 700, 1)),
            h_sigma_km=draw(decimals(0, 500, 1)),
            z_sigma_km=draw(decimals(0, 500, 1)),
            time_sigma_s=draw(decimals(0, 60, 2)),
            provisional=draw(st.booleans()),
        ),
        magnitude=AlertMagnitude(
            value=draw(decimals(-1, 9.9, 2)),
            type=draw(st.sampled_from(["Mpd", "Mw"])),
            sigma=draw(decimals(0, 2, 2)),
            lower_bound=draw(st.booleans()),
        ),
        quality=AlertQuality(
            n_stations=draw(st.integers(0, 500)),
            n_picks=draw(st.integers(0, 500)),
            gap_deg=draw(decimals(0, 360, 0)),
            likelihood=draw(decimals(0, 1, 2)),
        ),
        prediction=AlertPrediction(
            scale=draw(st.sampled_from(["mmi", "csi", "jma"])),
            relation=draw(
                st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=60)
            ),
            max_intensity=draw(decimals(-3, 12, 1)),
            radii_km=draw(st.dictionaries(st.integers(3, 9), decimals(1, 1500, 0))),
            line=draw(st.none() | st.tuples(lat, lon, lat, lon)),
            correction=draw(decimals(-1, 1, 2)),
            observed=tuple(
                draw(
                    st.lists(
                        st.builds(ObservedShaking, lat=lat, lon=lon, intensity=decimals(0, 12, 1)),
                        max_size=MAX_OBSERVED,
                    )
                )
            ),
        ),
        first_pick_ns=near(),
        trace=AlertTrace(
            last_sample_ns=near(), received_ns=near(), pick_ns=near(), decided_ns=near()
        ),
        cancel_reason=CancelReason.FALSE_ALERT if kind is MsgType.CANCEL else None,
    )


@settings(max_examples=50)
@given(
    messages(),
    st.integers(0, 2**63),
    st.integers(-(10**9), 10**9),
    st.none() | st.integers(0, 10**12),
)
def test_a_message_comes_back_as_it_was_sent(
    message: AlertMessage, seed: int, sent_us: int, shelter_version: int | None
) -> None:
    beside: dict[str, Any] = {
        "run_id": "run/é",
        "seed": seed,
        "sent_ns": message.issued_ns + sent_us * 1_000,
        "shelter_version": shelter_version,
    }
    payload = encode(message, **beside, signer=KEYS[message.status])
    received = decode(payload)

    assert received.message == message
    assert {name: getattr(received, name) for name in beside} == beside
    assert encode(received.message, **beside, signer=KEYS[message.status]) == payload


def test_the_payload_has_exactly_the_documented_fields() -> None:
    document = json.loads(payload_of(make_message(serial=3, lower_bound=True), shelter_version=4))

    assert list(document) == [
        "schema", "simulation", "status", "run", "event", "serial", "type", "issued_ns",
        "expires_ms", "origin", "magnitude", "quality", "model", "intensity", "radii_km",
        "trace_ms", "saturated", "shelter_version", "key", "sig",
    ]  # fmt: skip
    assert document["schema"] == SCHEMA
    assert document["simulation"] is True
    assert document["origin"] == [-6000, 29.59, 102.08, 16.0, 0.8, 5.0, 8.0]
    assert document["magnitude"] == [6.8, 0.4, "Mpd"]
    assert document["trace_ms"] == [-3000, -1200, -800, -500, 0, 0.0]
    assert document["run"] == "luding-2022-7/7"
    assert {name: len(elements) for name, elements in GROUPS.items()} == {
        name: len(document[name]) for name in GROUPS
    }


def test_the_largest_message_of_a_run_with_signature_stays_below_700_bytes() -> None:
    message = make_message(
        event_id="20230206T011737-3", serial=51, msg_type=MsgType.FINAL, lower_bound=True
    )
    prediction = replace(
        message.prediction,
        line=(30.59, 103.08, 28.59, 101.08),
        correction=-0.35,
        observed=tuple(
            ObservedShaking(lat=28.0 + n / 10, lon=100.5 + n / 10, intensity=8.1)
            for n in range(MAX_OBSERVED)
        ),
    )
    largest = replace(message, prediction=prediction)

    payload = payload_of(largest, sent_ns=message.issued_ns + 412_000)

    assert decode(payload).message.prediction.observed == prediction.observed
    assert len(payload) < 700
    assert len(payload_of(message)) < 600


def test_the_detector_says_no_more_than_a_message_carries() -> None:
    message = make_message()
    many = tuple(ObservedShaking(lat=29.0, lon=102.0, intensity=n / 10) for n in range(90, 60, -1))
    crowded = replace(message, prediction=replace(message.prediction, observed=many))

    assert DetectorConfig.load().plum.max_observed == MAX_OBSERVED
    assert decode(payload_of(crowded)).message.prediction.observed == many[:MAX_OBSERVED]


@settings(max_examples=30)
@given(messages(), st.lists(st.integers(-499_999, 499_999), min_size=7, max_size=7))
def test_times_are_never_off_by_more_than_half_a_millisecond(
    exact: AlertMessage, ns: list[int]
) -> None:
    trace = exact.trace
    message = replace(
        exact,
        expires_ns=exact.expires_ns + abs(ns[0]),
        first_pick_ns=exact.first_pick_ns + ns[1],
        origin=replace(exact.origin, time_ns=exact.origin.time_ns + ns[2]),
        trace=AlertTrace(
            last_sample_ns=trace.last_sample_ns + ns[3],
            received_ns=trace.received_ns + ns[4],
            pick_ns=trace.pick_ns + ns[5],
            decided_ns=trace.decided_ns + ns[6],
        ),
    )

    assert decode(payload_of(message)).message == exact


def test_positions_travel_to_four_decimals_and_the_time_of_issue_to_the_nanosecond() -> None:
    message = make_message(lat=29.123456789, lon=-102.987654321)
    message = replace(message, issued_ns=message.issued_ns + 1)

    received = decode(payload_of(message, sent_ns=message.issued_ns + 1_234_567))

    assert (received.message.origin.lat, received.message.origin.lon) == (29.1235, -102.9877)
    assert received.message.issued_ns == message.issued_ns
    assert received.sent_ns == message.issued_ns + 1_235_000


def test_what_the_service_sends_is_signed_for_its_tree_and_nothing_else() -> None:
    ring = Keyring(key.public for key in KEYS.values())

    for tree in Status:
        ring.verify(payload_of(make_message(status=tree)), tree)
    with pytest.raises(WireError, match=r"'exercise' cannot be signed by key .* for 'drill'"):
        payload_of(make_message(), signer=KEYS[Status.DRILL])
    assert b'"sig"' not in payload_of(make_message(), signer=None)


def test_a_place_where_devices_compute_is_off_by_less_than_the_origin_is_known() -> None:
    message = make_message(lat=29.594321, lon=102.084321, depth_km=16.04)
    message = replace(
        message, origin=replace(message.origin, time_ns=message.origin.time_ns + 499_999)
    )
    sent, told = (estimate_here(one, 30.0, 102.5) for one in (message, _told(message)))
    moved = replace(_told(message).origin, time_ns=message.origin.time_ns)

    # 4 decimals of a degree, 0.04 km of depth and half a ms, against 0.8 s of uncertainty
    assert abs(told.s_arrival_ns - sent.s_arrival_ns) < 20_000_000
    exact = estimate_here(replace(_told(message), origin=moved), 30.0, 102.5)
    assert abs(told.s_arrival_ns - exact.s_arrival_ns) < 1_000_000
    assert told.intensity == pytest.approx(sent.intensity, abs=0.01)


def _told(message: AlertMessage) -> AlertMessage:
    return decode(payload_of(message)).message


def test_numpy_numbers_are_sent_like_plain_ones() -> None:
    message = make_message()
    numpy_message = replace(
        message,
        magnitude=replace(message.magnitude, value=np.float64(6.8)),
        origin=replace(message.origin, lat=np.float64(29.59)),
    )

    assert payload_of(numpy_message) == payload_of(message)


@pytest.mark.parametrize(
    ("path", "said", "value"),
    [
        ("origin.lat", "origin.lat", math.nan),
        ("origin.h_sigma_km", "origin.h_sigma_km", math.inf),
        ("magnitude.value", "magnitude.value", math.nan),
        ("prediction.max_intensity", "intensity.max", math.nan),
        ("prediction.line", "line", (math.nan, 0.0, 0.0, 0.0)),
        ("prediction.radii_km", "radii_km", {3: math.inf}),
    ],
)
def test_a_number_that_is_not_finite_is_not_sent(path: str, said: str, value: Any) -> None:
    message = make_message()
    part, name = path.split(".")
    broken = replace(message, **{part: replace(getattr(message, part), **{name: value})})

    with pytest.raises(WireError, match=rf"{said} must be finite, was (nan|inf)"):
        payload_of(broken)


def test_a_value_out_of_range_is_not_sent() -> None:
    message = make_message()

    with pytest.raises(WireError, match=r"origin\.lat: .*<= 90\.0, was 91\.5"):
        payload_of(replace(message, origin=replace(message.origin, lat=91.5)))
    with pytest.raises(WireError, match=r"event: .*was 'a/b'"):
        payload_of(replace(message, event_id="a/b"))
    with pytest.raises(WireError, match=r"expires_ms: .*was 0"):
        payload_of(replace(message, expires_ns=message.issued_ns))
    with pytest.raises(WireError, match=r"radii_km begins with 3, was 2"):
        payload_of(replace(message, prediction=replace(message.prediction, radii_km={2: 9.0})))
    with pytest.raises(WireError, match=r"line must be on the Earth, was 91, 0"):
        payload_of(
            replace(message, prediction=replace(message.prediction, line=(91.0, 0.0, 0.0, 0.0)))
        )


def test_there_is_no_way_to_say_actual() -> None:
    document = json.loads(payload_of(make_message()))

    with pytest.raises(WireError, match=r"status: .*was 'actual'"):
        decode(json.dumps(document | {"status": "actual"}).encode())
    with pytest.raises(ValueError, match="actual"):
        Status("actual")
    with pytest.raises(WireError, match="simulation must be true, was False"):
        decode(json.dumps(document | {"simulation": False}).encode())


@pytest.mark.parametrize("field", list(json.loads(payload_of(make_message(), signer=None))))
def test_every_field_is_missed_by_name(field: str) -> None:
    document = json.loads(payload_of(make_message()))
    del document[field]

    with pytest.raises(WireError, match=rf"^alert: {field} is missing"):
        decode(json.dumps(document).encode())


@pytest.mark.parametrize("group", list(GROUPS))
def test_an_array_cut_short_is_refused_by_name(group: str) -> None:
    document = json.loads(payload_of(make_message()))
    document[group] = document[group][:-1]

    with pytest.raises(WireError, match=rf"^alert: {group}: .*of at least length"):
        decode(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("origin", 1), math.nan, r"origin\.lat must be a finite number, was nan"),
        (("magnitude", 0), math.inf, r"magnitude\.value must be a finite number, was inf"),
        (("origin", 3), None, r"origin\.depth_km: Expected `float`.*was None"),
        (("origin", 2), "102", r"origin\.lon: .*was '102'"),
        (("quality", 3), 1.2, r"quality\.likelihood: .*was 1\.2"),
        (("trace_ms", 5), 1e12, r"trace_ms\.sent: .*was 1e\+?12|1000000000000"),
        (("serial",), 0, r"serial: .*was 0"),
        (("issued_ns",), 1.5, r"issued_ns: .*was 1\.5"),
        (("issued_ns",), -1, r"issued_ns: .*was -1"),
        (("model",), "richter/a", r"model: .*was 'richter/a'"),
        (("run",), "no seed", r"run: .*was 'no seed'"),
        (("line",), [6100, 0, 0, 0], r"line must be on the Earth, was 90\.59"),
        (("line",), [1, 2], r"line must have 4 numbers, was 2"),
        (("intensity", 1), 4.0, r"intensity\.correction: .*<= 3\.0"),
        (("observed",), [0, 0, 130], r"observed intensity .*was 13"),
        (("observed",), [0, 0], r"observed must be groups of 3, was 2 numbers"),
        (("observed",), [0, 0, 50] * 9, r"observed: Expected `array` of length <= 24"),
        (("radii_km",), [-1], r"radii_km.*: .*>= 0"),
        (("expires_ms",), 0, r"expires_ms: .*was 0"),
        (("cancel_reason",), "false_alert", "cancel_reason does not suit 'alert'"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_the_value_found(
    path: tuple[Any, ...], value: Any, said: str
) -> None:
    document = json.loads(payload_of(make_message()))
    target = document
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value

    with pytest.raises(WireError, match=said):
        decode(json.dumps(document).encode())


def test_a_withdrawal_gives_its_reason() -> None:
    document = json.loads(payload_of(make_message(serial=2, msg_type=MsgType.CANCEL)))

    assert (document["type"], document["cancel_reason"]) == ("cancel", "false_alert")
    del document["cancel_reason"]
    with pytest.raises(WireError, match="cancel_reason does not suit 'cancel', was None"):
        decode(json.dumps(document).encode())


def test_an_unknown_field_is_ignored() -> None:
    document = json.loads(payload_of(make_message()))
    document["origin"] += [1, {"a": None}]

    received = decode(json.dumps(document | {"schema": "eew.alert/2.3", "new": [1]}).encode())

    assert received.message == decode(payload_of(make_message())).message


@pytest.mark.parametrize("schema", ["eew.alert/1", "eew.alert/20", "eew.other/2", "", 1, None])
def test_another_schema_is_refused_whatever_else_it_holds(schema: object) -> None:
    document = json.loads(payload_of(make_message())) | {"schema": schema}

    with pytest.raises(WireError, match="schema"):
        decode(json.dumps(document).encode())
    with pytest.raises(WireError, match="schema"):
        decode(json.dumps({"schema": schema, "entirely": "different"}).encode())


@given(st.binary(max_size=300))
def test_no_bytes_at_all_do_more_than_raise_a_wire_error(payload: bytes) -> None:
    with pytest.raises(WireError):
        decode(payload)


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"[" * 9000, b'{"a":' * 900 + b"1"])
def test_what_is_no_message_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError, match=r"^alert: "):
        decode(payload)


def test_a_payload_too_long_for_an_alert_is_refused_unread() -> None:
    document = json.loads(payload_of(make_message())) | {"padding": "x" * MAX_PAYLOAD_BYTES}

    with pytest.raises(WireError, match="more than 4096"):
        decode(json.dumps(document).encode())
