"""Errors over HTTP as RFC 9457 ``application/problem+json``, with a hint where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """A refusal: what kind, of what, and what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    hint: str | None = None
    reasons: list[str] | None = None


class ProblemError(Exception):
    """Raised by a route; becomes a :class:`Problem`.

    ``slug`` names the kind for programs: ``type`` is ``urn:eew:problem:<slug>``.
    """

    def __init__(
        self,
        status: HTTPStatus,
        slug: str,
        detail: str,
        *,
        hint: str | None = None,
        reasons: list[str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.slug, self.detail = status, slug, detail
        self.hint, self.reasons = hint, reasons


def install(app: FastAPI) -> None:
    """Let every error of ``app`` leave as a problem, the framework's own included."""

    @app.exception_handler(ProblemError)
    async def own(request: Request, error: ProblemError) -> JSONResponse:
        return _answer(
            request,
            error.status,
            f"urn:eew:problem:{error.slug}",
            error.detail,
            hint=error.hint,
            reasons=error.reasons,
        )

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        hint = "the paths are listed in /openapi.json" if status == HTTPStatus.NOT_FOUND else None
        return _answer(
            request, status, "about:blank", str(error.detail), hint=hint, headers=error.headers
        )

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        reasons = [
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}, was {item.get('input')!r}"
            for item in error.errors()
        ]
        return _answer(
            request,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "urn:eew:problem:invalid-request",
            "the request has values that cannot be used",
            reasons=reasons,
        )


def _answer(
    request: Request,
    status: HTTPStatus,
    kind: str,
    detail: str,
    *,
    hint: str | None = None,
    reasons: list[str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    problem = Problem(
        type=kind,
        title=status.phrase,
        status=status.value,
        detail=detail,
        instance=request.url.path,
        hint=hint,
        reasons=reasons,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=status.value,
        media_type=MEDIA_TYPE,
        headers=None if headers is None else dict(headers),
    )


def described(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI ``responses`` of a route that may refuse with ``statuses``."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status.value: {"description": status.phrase, "content": {MEDIA_TYPE: schema}}
        for status in statuses
    }
