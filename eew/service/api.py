"""The HTTP routes. They read :class:`~eew.service.state.ServiceState` and change nothing.

=========================  =====================================================
``GET /healthz``           the process answers
``GET /readyz``            broker, source and pipeline are ready; else 503 with reasons
``GET /api/v1/status``     the service at a glance
``GET /api/v1/events``     events, newest first; ``/{event_id}`` one with its messages
``GET /api/v1/stations``   stations with their state
``GET /metrics``           Prometheus
``GET /openapi.json``      this, for programs
=========================  =====================================================
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import FastAPI, Path, Query, Response

from eew.service import problem
from eew.service.metrics import CONTENT_TYPE_LATEST
from eew.service.problem import Problem, ProblemError, described
from eew.service.schema import (
    EventDetail,
    EventPage,
    EventSummary,
    Health,
    Ready,
    StationList,
    StationView,
    Status,
    parts_of,
)
from eew.service.state import ServiceState

PAGE_MAX = 200
REFUSALS = described(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)


def create_app(state: ServiceState) -> FastAPI:
    """Return the application that shows ``state``."""
    # The interactive pages would load scripts from elsewhere; /openapi.json serves any viewer.
    app = FastAPI(
        title="Earthquake early-warning simulator",
        version=state.info.version,
        docs_url=None,
        redoc_url=None,
    )
    problem.install(app)
    _add_health(app, state)
    _add_data(app, state)
    _declare_problem(app)
    return app


def _add_health(app: FastAPI, state: ServiceState) -> None:
    @app.get("/healthz", tags=["health"])
    async def health() -> Health:
        """Say that the process answers."""
        return Health(version=state.info.version, uptime_s=state.uptime_s)

    @app.get("/readyz", tags=["health"], responses=described(HTTPStatus.SERVICE_UNAVAILABLE))
    async def ready() -> Ready:
        """Say whether broker, source and pipeline are ready."""
        if reasons := state.not_ready():
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "not-ready",
                "the service is not ready",
                reasons=reasons,
            )
        return Ready(parts=parts_of(state))

    @app.get("/metrics", tags=["health"], response_class=Response)
    async def metrics() -> Response:
        """Return all metrics in Prometheus' text format."""
        return Response(state.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _add_data(app: FastAPI, state: ServiceState) -> None:
    @app.get("/api/v1/status", tags=["data"])
    async def status() -> Status:
        """Return the service at a glance."""
        return Status.of(state)

    @app.get("/api/v1/events", tags=["data"], responses=REFUSALS)
    async def events(
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
        cursor: Annotated[str | None, Query(description="next_cursor of the page before")] = None,
    ) -> EventPage:
        """Return events, newest first."""
        ids = list(reversed(state.events))
        start = 0
        if cursor is not None:
            if cursor not in state.events:
                raise _no_event(cursor, "the cursor's event is gone; start without one")
            start = ids.index(cursor)
        page = ids[start : start + limit]
        rest = ids[start + limit :]
        return EventPage(
            events=[EventSummary.of(state.events[event_id]) for event_id in page],
            total=len(ids),
            next_cursor=rest[0] if rest else None,
        )

    @app.get("/api/v1/events/{event_id}", tags=["data"], responses=REFUSALS)
    async def event(event_id: Annotated[str, Path(max_length=200)]) -> EventDetail:
        """Return one event with its messages."""
        record = state.events.get(event_id)
        if record is None:
            raise _no_event(event_id, "known events are listed at /api/v1/events")
        return EventDetail.of(record)

    @app.get("/api/v1/stations", tags=["data"])
    async def stations() -> StationList:
        """Return the stations in use, by code."""
        feeds = {} if state.feed is None else {one.code: one for one in state.feed.stations}
        return StationList(
            stations=[
                StationView.of(
                    station, state.station_states.get(code), feeds.get(code), state.data_offset_s
                )
                for code, station in sorted(state.stations.items())
            ]
        )


def _no_event(event_id: str, hint: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND, "event-not-found", f"no event {event_id!r}", hint=hint
    )


def _declare_problem(app: FastAPI) -> None:
    """Put the Problem model into the OpenAPI document, where ``described`` refers to it."""
    document = app.openapi()
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema()
