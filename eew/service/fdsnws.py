"""The FDSN web services over HTTP: dataselect, station and event, for any client of theirs.

What there is to give comes from :class:`Holdings`; what is asked is read in
:mod:`eew.messages.fdsn_query`. Here are the paths, the codes and the words of an error as the
specification has them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from eew.messages.fdsn_parameters import SERVICES, VERSIONS, wadl
from eew.messages.fdsn_query import (
    QueryError,
    parse_data,
    parse_events,
    parse_stations,
    split_post,
)
from eew.messages.fdsn_selection import DataQuery, EventQuery, StationQuery

__all__ = ["Holdings", "create_fdsnws"]

_MAX_BODY_BYTES = 2_000_000
_MSEED = "application/vnd.fdsn.mseed"
_XML = "application/xml"
_TEXT = "text/plain; charset=utf-8"

_Query = DataQuery | StationQuery | EventQuery


class Holdings(Protocol):
    """Waveforms, stations and events; each answer is empty where nothing is there."""

    def waveforms(self, query: DataQuery) -> bytes:
        """Return MiniSEED."""
        ...

    def stations(self, query: StationQuery) -> bytes:
        """Return StationXML, or text where that is asked."""
        ...

    def events(self, query: EventQuery) -> bytes:
        """Return QuakeML, or text where that is asked."""
        ...


def create_fdsnws(holdings: Holdings, *, title: str) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    title : str
        What is served, for the page at ``/``.
    """
    app = FastAPI(title="eew fdsnws (SIMULATION)", docs_url=None, redoc_url=None, openapi_url=None)

    async def answer(request: Request, service: str) -> Response:
        try:
            query = await _read(request, service)
        except QueryError as error:
            return _failure(request, service, 400, "Bad request", str(error))
        data = await asyncio.to_thread(_ask, holdings, query)
        if data:
            return Response(data, media_type=_media_type(query))
        if query.no_data == 404:
            return _failure(request, service, 404, "Not found", "no data match this query")
        return Response(status_code=204)

    def add(service: str) -> None:
        base = f"/fdsnws/{service}/1"

        async def query(request: Request) -> Response:
            return await answer(request, service)

        async def version() -> Response:
            return PlainTextResponse(VERSIONS[service])

        async def description(request: Request) -> Response:
            root = str(request.base_url).rstrip("/")
            return Response(wadl(service, f"{root}{base}"), media_type=_XML)

        methods = ["GET"] if service == "event" else ["GET", "POST"]
        app.add_api_route(f"{base}/query", query, methods=methods)
        app.add_api_route(f"{base}/version", version, methods=["GET"])
        app.add_api_route(f"{base}/application.wadl", description, methods=["GET"])

    for service in SERVICES:
        add(service)
    app.add_api_route("/fdsnws/event/1/catalogs", _names("Catalogs"), methods=["GET"])
    app.add_api_route("/fdsnws/event/1/contributors", _names("Contributors"), methods=["GET"])

    async def front() -> Response:
        paths = "\n".join(f"/fdsnws/{service}/1/query" for service in SERVICES)
        return PlainTextResponse(f"SIMULATION  {title}\n{paths}\n")

    app.add_api_route("/", front, methods=["GET"])
    return app


async def _read(request: Request, service: str) -> _Query:
    if request.method == "POST":
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > _MAX_BODY_BYTES:
                raise QueryError(f"body: at most {_MAX_BODY_BYTES} bytes are taken")
        parameters, lines = split_post(bytes(body))
        if service == "dataselect":
            return parse_data(parameters, lines)
        return parse_stations(parameters, lines)
    # read from the raw text: a list would be joined and an empty location dropped by a framework
    query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    if service == "dataselect":
        return parse_data(query)
    if service == "station":
        return parse_stations(query)
    return parse_events(query)


def _ask(holdings: Holdings, query: _Query) -> bytes:
    match query:
        case DataQuery():
            return holdings.waveforms(query)
        case StationQuery():
            return holdings.stations(query)
        case EventQuery():
            return holdings.events(query)


def _media_type(query: _Query) -> str:
    if isinstance(query, DataQuery):
        return _MSEED
    return _TEXT if query.as_text else _XML


def _failure(request: Request, service: str, code: int, title: str, why: str) -> Response:
    """Say what is wrong, in the form that the specification recommends."""
    base = str(request.base_url).rstrip("/")
    lines = (
        f"Error {code}: {title}",
        why,
        f"Usage details are available from {base}/fdsnws/{service}/1/application.wadl",
        f"Request:\n{request.url}",
        f"Service version:\n{VERSIONS[service]}",
    )
    return PlainTextResponse("\n\n".join(lines) + "\n", status_code=code)


def _names(root: str) -> Callable[[], Response]:
    """Answer with an empty list: events here come from one catalogue without a name."""

    def listing() -> Response:
        return Response(f"<{root}><total>0</total></{root}>", media_type=_XML)

    return listing
