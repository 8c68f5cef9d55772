"""The alert on the wire: what it holds, what it refuses, and that it comes back unchanged."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.errors import WireError
from eew.messages.wire import MAX_PAYLOAD_BYTES, SCHEMA, decode, encode
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
from tests.unit.message_cases import make_message, payload_of

TIMES = st.integers(1_500_000_000 * 10**9, 1_900_000_000 * 10**9)


def decimals(low: float, high: float, digits: int) -> st.SearchStrategy[float]:
    """Numbers that the wire carries exactly."""
    scale = 10**digits
    return st.integers(round(low * scale), round(high * scale)).map(lambda n: n / scale)


@st.composite
def messages(draw: st.DrawFn) -> AlertMessage:
    kind = draw(st.sampled_from(MsgType))
    issued_ns = draw(TIMES)
    return AlertMessage(
        event_id=draw(st.from_regex(r"[A-Za-z0-9._:-]{1,40}", fullmatch=True)),
        serial=draw(st.integers(1, 9999)),
        msg_type=kind,
        status=draw(st.sampled_from(Status)),
        issued_ns=issued_ns,
        expires_ns=issued_ns + draw(st.integers(1, 10**12)),
        origin=AlertOrigin(
            time_ns=draw(TIMES),
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
            max_intensity=draw(decimals(-3, 12, 2)),
            radii_km=draw(st.dictionaries(st.integers(3, 9), decimals(0, 1500, 1))),
            line=draw(
                st.none()
                | st.tuples(
                    decimals(-90, 90, 2),
                    decimals(-180, 180, 2),
                    decimals(-90, 90, 2),
                    decimals(-180, 180, 2),
                )
            ),
            correction=draw(decimals(-1, 1, 2)),
            observed=tuple(
                draw(
                    st.lists(
                        st.builds(
                            ObservedShaking,
                            lat=decimals(-90, 90, 2),
                            lon=decimals(-180, 180, 2),
                            intensity=decimals(0, 12, 1),
                        ),
                        max_size=3,
                    )
                )
            ),
        ),
        first_pick_ns=draw(TIMES),
        trace=AlertTrace(
            last_sample_ns=draw(TIMES),
            received_ns=draw(TIMES),
            pick_ns=draw(TIMES),
            decided_ns=draw(TIMES),
        ),
        cancel_reason=CancelReason.FALSE_ALERT if kind is MsgType.CANCEL else None,
    )


@given(messages(), st.integers(0, 2**63), TIMES, st.none() | st.integers(0, 10**12))
def test_a_message_comes_back_as_it_was_sent(
    message: AlertMessage, seed: int, sent_ns: int, shelter_version: int | None
) -> None:
    payload = encode(
        message, run_id="run-é", seed=seed, sent_ns=sent_ns, shelter_version=shelter_version
    )
    received = decode(payload)

    assert received.message == message
    assert (received.run_id, received.seed, received.sent_ns) == ("run-é", seed, sent_ns)
    assert received.shelter_version == shelter_version
    again = encode(
        received.message,
        run_id="run-é",
        seed=seed,
        sent_ns=sent_ns,
        shelter_version=shelter_version,
    )
    assert again == payload


def test_the_payload_has_exactly_the_documented_fields() -> None:
    document = json.loads(payload_of(make_message(serial=3, lower_bound=True), shelter_version=4))

    assert set(document) == {
        "schema", "simulation", "event_id", "serial", "msg_type", "status", "references",
        "issued_ns", "expires_ns", "first_pick_ns", "text_key", "origin", "magnitude", "quality",
        "prediction", "trace", "sim", "shelter_version",
    }  # fmt: skip
    assert document["schema"] == SCHEMA
    assert document["simulation"] is True
    assert document["references"] == ["ev-1/2"]
    assert set(document["origin"]) == {
        "time_ns", "lat", "lon", "depth_km", "h_sigma_km", "z_sigma_km", "time_sigma_s",
    }  # fmt: skip
    assert set(document["magnitude"]) == {"value", "type", "sigma", "saturated"}
    assert set(document["trace"]) == {
        "last_sample_ns", "received_ns", "pick_ns", "decided_ns", "sent_ns",
    }  # fmt: skip
    assert document["sim"] == {"run_id": "luding-2022-7", "seed": 7}


def test_a_typical_message_stays_below_one_kilobyte() -> None:
    first = make_message(event_id="luding-2022-7.1")
    last = make_message(
        event_id="20220905045251-0001", serial=17, msg_type=MsgType.FINAL, lower_bound=True
    )

    assert len(payload_of(first)) < 900  # 880 bytes, of which 190 are ten times in ns
    assert len(payload_of(last, run_id="luding-2022-20260101", shelter_version=20260101)) < 1000


def test_positions_travel_to_four_decimals_and_times_to_the_nanosecond() -> None:
    message = make_message(lat=29.123456789, lon=-102.987654321)
    message = replace(message, issued_ns=message.issued_ns + 1)

    received = decode(payload_of(message)).message

    assert (received.origin.lat, received.origin.lon) == (29.1235, -102.9877)
    assert received.issued_ns == message.issued_ns


def test_numpy_numbers_are_sent_like_plain_ones() -> None:
    message = make_message()
    numpy_message = replace(
        message,
        magnitude=replace(message.magnitude, value=np.float64(6.8)),
        origin=replace(message.origin, lat=np.float64(29.59)),
    )

    assert payload_of(numpy_message) == payload_of(message)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("origin.lat", math.nan),
        ("origin.h_sigma_km", math.inf),
        ("magnitude.value", math.nan),
        ("prediction.max_intensity", math.nan),
    ],
)
def test_a_number_that_is_not_finite_is_not_sent(field: str, value: float) -> None:
    message = make_message()
    part, name = field.split(".")
    broken = replace(message, **{part: replace(getattr(message, part), **{name: value})})

    with pytest.raises(WireError, match=rf"{field} must be finite, was {value}"):
        payload_of(broken)


def test_a_value_out_of_range_is_not_sent() -> None:
    message = make_message()

    with pytest.raises(WireError, match=r"origin\.lat: .*<= 90\.0, was 91\.5"):
        payload_of(replace(message, origin=replace(message.origin, lat=91.5)))
    with pytest.raises(WireError, match=r"event_id: .*was 'a/b'"):
        payload_of(replace(message, event_id="a/b"))


def test_there_is_no_way_to_say_actual() -> None:
    document = json.loads(payload_of(make_message()))

    with pytest.raises(WireError, match=r"status: .*was 'actual'"):
        decode(json.dumps(document | {"status": "actual"}).encode())
    with pytest.raises(ValueError, match="actual"):
        Status("actual")
    with pytest.raises(WireError, match="simulation must be true, was False"):
        decode(json.dumps(document | {"simulation": False}).encode())


def _required() -> list[str]:
    document = json.loads(payload_of(make_message()))
    fields = list(document)
    for part in ("origin", "magnitude", "quality", "prediction", "trace", "sim"):
        fields += [f"{part}.{name}" for name in document[part]]
    return fields


@pytest.mark.parametrize("field", _required())
def test_every_field_is_missed_by_name(field: str) -> None:
    document = json.loads(payload_of(make_message()))
    *path, name = field.split(".")
    target = document[path[0]] if path else document
    del target[name]

    with pytest.raises(WireError, match=rf"^alert: {field} is missing"):
        decode(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("origin", "lat"), math.nan, r"origin\.lat must be a finite number, was nan"),
        (("magnitude", "value"), math.inf, r"magnitude\.value must be a finite number, was inf"),
        (("origin", "depth_km"), None, r"origin\.depth_km: Expected `float`.*was None"),
        (("origin", "lon"), "102", r"origin\.lon: .*was '102'"),
        (("quality", "likelihood"), 1.2, r"quality\.likelihood: .*was 1\.2"),
        (("serial",), 0, r"serial: .*was 0"),
        (("issued_ns",), 1.5, r"issued_ns: .*was 1\.5"),
        (("issued_ns",), -1, r"issued_ns: .*was -1"),
        (("prediction", "scale"), "richter", r"prediction\.scale: .*was 'richter'"),
        (("prediction", "line"), [91.0, 0.0, 0.0, 0.0], r"line.*: .*<= 90\.0"),
        (("prediction", "correction"), 4.0, r"correction.*: .*<= 3\.0"),
        (("prediction", "observed"), [[0.0, 0.0, 13.0]], r"observed.*: .*<= 12\.0"),
        (("prediction", "radii_km"), {"3": -1.0}, r"radii_km.*: .*>= 0\.0"),
        (("expires_ns",), 1, "expires_ns must be after issued_ns"),
        (("is_final",), True, "is_final does not suit 'alert'"),
        (("cancel_reason",), "false_alert", "cancel_reason does not suit 'alert'"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_the_value_found(
    path: tuple[str, ...], value: Any, said: str
) -> None:
    document = json.loads(payload_of(make_message()))
    target = document
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value

    with pytest.raises(WireError, match=said):
        decode(json.dumps(document).encode())


def test_an_unknown_field_is_ignored() -> None:
    document = json.loads(payload_of(make_message()))
    document["origin"]["later_invention"] = [1, {"a": None}]

    received = decode(json.dumps(document | {"schema": "eew.alert/1.3", "new": 1}).encode())

    assert received.message == decode(payload_of(make_message())).message


@pytest.mark.parametrize("schema", ["eew.alert/2", "eew.alert/10", "eew.other/1", "", 1, None])
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

    with pytest.raises(WireError, match="more than 16384"):
        decode(json.dumps(document).encode())


def test_the_text_key_follows_the_strongest_shaking_anywhere() -> None:
    strong = json.loads(payload_of(make_message(magnitude=6.8)))
    small = json.loads(payload_of(make_message(magnitude=4.0, depth_km=50.0)))
    wrong = json.loads(payload_of(make_message(serial=2, msg_type=MsgType.CANCEL)))

    assert (strong["text_key"], small["text_key"]) == ("take_action", "be_aware")
    assert wrong["text_key"] == "cancelled"
    assert wrong["is_final"] is True
    assert wrong["cancel_reason"] == "false_alert"
