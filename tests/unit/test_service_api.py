"""The HTTP routes, called through ASGI without a socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from eew.clock import VirtualClock
from eew.model.alert import MsgType
from eew.model.event import EventClosed, StationState
from eew.service.api import create_app
from eew.service.state import BrokerInfo, ServiceInfo, ServiceState
from tests.unit.service_events import T0_NS, S, message, solution, station

PROBLEM = "application/problem+json"


@pytest.fixture
def state() -> ServiceState:
    info = ServiceInfo(
        service_id="sim", version="9.9", source="replay luding-2022", speed=1.0, status="exercise"
    )
    return ServiceState(info, VirtualClock(T0_NS))


@pytest.fixture
async def client(state: ServiceState) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(state))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


def be_ready(state: ServiceState) -> None:
    state.broker_is(BrokerInfo("embedded", "127.0.0.1", 41883), "listening")
    state.source_is("running", "replaying")
    state.part("pipeline", ready=True, reason="1 station")


def strict(response: httpx.Response) -> Any:
    """Parse as browsers do: NaN and Infinity are no JSON."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} in JSON")

    return json.loads(response.text, parse_constant=refuse)


async def test_health_answers_before_anything_is_ready(client: httpx.AsyncClient) -> None:
    response = await client.get("/healthz")
    assert response.status_code == 200
    assert strict(response) == {"status": "ok", "version": "9.9", "uptime_s": 0.0}


async def test_ready_is_503_with_reasons_until_every_part_is(
    client: httpx.AsyncClient, state: ServiceState
) -> None:
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.headers["content-type"] == PROBLEM
    problem = strict(response)
    assert problem["type"] == "urn:eew:problem:not-ready"
    assert problem["reasons"] == [
        "broker: not started yet",
        "source: not started yet",
        "pipeline: not started yet",
    ]
    be_ready(state)
    response = await client.get("/readyz")
    assert response.status_code == 200
    assert strict(response)["parts"]["pipeline"] == {"ready": True, "reason": "1 station"}


async def test_events_come_newest_first_in_pages(
    client: httpx.AsyncClient, state: ServiceState
) -> None:
    for number in range(5):
        state.receive(message(f"ev-{number}"))
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = strict(await client.get("/api/v1/events", params=params))
        assert page["total"] == 5 + (cursor is not None)
        seen += [event["event_id"] for event in page["events"]]
        cursor = page["next_cursor"]
        state.events.setdefault("ev-new", state.events["ev-0"])  # one more arrives meanwhile
    assert seen == ["ev-4", "ev-3", "ev-2", "ev-1", "ev-0"]
    assert cursor is None


async def test_one_event_has_its_newest_source_and_all_messages(
    client: httpx.AsyncClient, state: ServiceState
) -> None:
    state.receive(message(serial=1))
    state.receive(solution(magnitude=6.4))
    state.receive(message(serial=2, msg_type=MsgType.CANCEL))
    state.receive(
        EventClosed(event_id="ev-1", at_ns=T0_NS + 30 * S, withdrawn=True, reason="no S came")
    )
    event = strict(await client.get("/api/v1/events/ev-1"))
    assert event["state"] == "cancelled"
    assert event["withdrawn"] is True
    assert event["close_reason"] == "no S came"
    assert event["updated_at"] == "2022-09-05T04:53:19.000000Z"
    assert event["source"]["magnitude"] == 6.4
    assert event["source"]["origin_time"] == "2022-09-05T04:52:49.000000Z"
    assert event["source"]["h_sigma_km"] is None  # unknown, not Infinity
    first, second = event["messages"]
    assert (first["serial"], first["msg_type"], first["is_final"]) == (1, "alert", False)
    assert first["radii_km"] == {"3": 200.0, "5": 90.0}
    assert first["status"] == "exercise"
    assert (second["cancel_reason"], second["is_final"]) == ("false_alert", True)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/api/v1/events/nothing-here", 404, "urn:eew:problem:event-not-found"),
        ("/api/v1/events?cursor=gone", 404, "urn:eew:problem:event-not-found"),
        ("/api/v1/events?limit=0", 422, "urn:eew:problem:invalid-request"),
        ("/api/v1/events?limit=many", 422, "urn:eew:problem:invalid-request"),
        ("/api/v1/nothing", 404, "about:blank"),
    ],
)
async def test_a_refusal_is_a_problem_document(
    client: httpx.AsyncClient, path: str, status: int, kind: str
) -> None:
    response = await client.get(path)
    assert response.status_code == status
    assert response.headers["content-type"] == PROBLEM
    problem = strict(response)
    assert (problem["type"], problem["status"]) == (kind, status)
    assert problem["instance"] == path.partition("?")[0]
    assert problem["detail"]


async def test_the_wrong_method_is_a_problem_that_names_the_right_one(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post("/api/v1/status")
    assert response.status_code == 405
    assert response.headers["content-type"] == PROBLEM
    assert response.headers["allow"] == "GET"


async def test_stations_join_place_and_state(
    client: httpx.AsyncClient, state: ServiceState
) -> None:
    state.receive_stations([station("XX.B02"), station("XX.A01")])
    state.receive_states(
        [
            StationState(
                station="XX.A01",
                state="late",
                last_sample_ns=T0_NS,
                delay_s=12.5,
                n_packets=7,
                n_picks=1,
                problems={"gap": 2},
            )
        ]
    )
    first, second = strict(await client.get("/api/v1/stations"))["stations"]
    assert (first["code"], first["state"], first["delay_s"]) == ("XX.A01", "late", 12.5)
    assert first["problems"] == {"gap": 2}
    assert first["last_sample_at"] == "2022-09-05T04:52:49.000000Z"
    assert (second["code"], second["state"], second["last_sample_at"]) == (
        "XX.B02",
        "starting",
        None,
    )


async def test_status_shows_the_service_at_a_glance(
    client: httpx.AsyncClient, state: ServiceState
) -> None:
    be_ready(state)
    state.receive_stations([station("XX.A01"), station("XX.B02")])
    state.receive_step(T0_NS, [], 0.0)
    state.receive_step(T0_NS + 3 * S, [], 0.0)
    state.receive(message())
    state.receive(solution("ev-2"))
    state.receive_devices(4)
    state.receive_told("phone", 12.0)
    status = strict(await client.get("/api/v1/status"))
    assert status["status"] == "exercise"
    assert status["source"] == "replay luding-2022"
    assert status["source_state"] == "running"
    assert status["data_seconds"] == 3.0
    assert status["data_time"] == "2022-09-05T04:52:52.000000Z"
    assert status["broker"] == {"kind": "embedded", "host": "127.0.0.1", "port": 41883}
    assert status["stations"] == {"starting": 2}
    assert status["events"] == {"candidate": 1, "open": 1}
    assert status["devices"] == {"connected": 4, "told": {"phone": 1}}
    assert status["counts"]["messages"] == 1


async def test_metrics_are_in_prometheus_text(
    client: httpx.AsyncClient, state: ServiceState
) -> None:
    state.receive(message())
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    lines = response.text.splitlines()
    assert 'eew_messages_total{msg_type="alert"} 1.0' in lines
    assert 'eew_source_state{state="starting"} 1.0' in lines
    names = {line.split(" ")[2] for line in lines if line.startswith("# TYPE")}
    assert names >= {
        "eew_packet_delay_seconds",
        "eew_pick_latency_seconds",
        "eew_decision_seconds",
        "eew_publish_seconds",
        "eew_delivery_seconds",
        "eew_lead_time_seconds",
        "eew_packets_total",
        "eew_gaps_total",
        "eew_dropped_total",
        "eew_messages_total",
        "eew_source_state",
        "eew_clients",
    }


async def test_the_openapi_document_describes_every_route_and_resolves(
    client: httpx.AsyncClient,
) -> None:
    document = strict(await client.get("/openapi.json"))
    assert set(document["paths"]) == {
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/v1/status",
        "/api/v1/events",
        "/api/v1/events/{event_id}",
        "/api/v1/stations",
    }

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [ref for value in node.values() for ref in references(value)]
        if isinstance(node, list):
            return [ref for value in node for ref in references(value)]
        return []

    for reference in references(document):
        target: Any = document
        for key in reference.removeprefix("#/").split("/"):
            target = target[key]
    refusals = document["paths"]["/api/v1/events/{event_id}"]["get"]["responses"]
    assert PROBLEM in refusals["404"]["content"]
    assert PROBLEM in refusals["422"]["content"]
