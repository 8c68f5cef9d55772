"""ObsPy's FDSN client with patience, and with errors that say what to try.

Retries what may pass (5xx, time-outs, too many requests) with growing waits; everything else is
told at once, with the host's name.
"""

from __future__ import annotations

import io
import socket
import urllib.request
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from eew.errors import ConfigError, ConnectError, TransportError

if TYPE_CHECKING:
    import obspy

__all__ = ["BulkLine", "DataCentre", "NoDataError", "TooLargeError"]

_T = TypeVar("_T")
BulkLine = tuple[str, str, str, str, Any, Any]  # network to channel, start and end as UTCDateTime

_USER_AGENT = "eew-simulator"
_TIMEOUT_S = 60.0
_WAITS_S = (1.0, 3.0, 9.0)  # between four attempts
_PROBE_S = 5.0
_CONNECTING = "finding its services"
_NO_NETWORK = "is there a network? another --client, for example EARTHSCOPE or a URL"


class NoDataError(Exception):
    """The service has nothing that matches."""


class TooLargeError(Exception):
    """The service wants smaller requests."""


class DataCentre:
    """One FDSN data centre.

    Parameters
    ----------
    where : str
        One of ObsPy's short names (``EARTHSCOPE``, ``GEOFON``, ...) or the base URL.
    user, password : str, optional
        For data that are not open.
    wait : callable
        Waits so many seconds.
    say : callable
        Told of each repeated attempt.

    Raises
    ------
    ConfigError
        If ``where`` is no name and no URL.
    ConnectError
        If nobody is there, or there are no FDSN services.
    """

    def __init__(
        self,
        where: str,
        *,
        user: str | None = None,
        password: str | None = None,
        wait: Callable[[float], None],
        say: Callable[[str], None] = lambda _: None,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        from obspy.clients.fdsn import Client
        from obspy.clients.fdsn.header import URL_MAPPINGS

        self._wait = wait
        self._say = say
        self.name = _address(where, URL_MAPPINGS)
        self.host = urlsplit(self.name).hostname or self.name

        def connect() -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about old names, and services that lack a little
                return Client(
                    where if where.upper() in URL_MAPPINGS else self.name,
                    user=user,
                    password=password,
                    user_agent=_USER_AGENT,
                    timeout=timeout_s,
                )

        # ObsPy would wait 75 s for a host that does not answer, and not say what is wrong with it
        if not urllib.request.getproxies() and (reason := _reach(self.name)):
            raise ConnectError(self.name, reason, hint=_NO_NETWORK)
        self._client = self._patiently(_CONNECTING, connect)

    def has(self, service: str) -> bool:
        """Tell whether the centre has a service (``dataselect``, ``station``, ``event``)."""
        return service in self._client.services

    def event(self, event_id: str) -> obspy.Catalog:
        """Return the event with an id of the centre's own.

        Raises
        ------
        NoDataError
            If there is none.
        TransportError
            If the centre cannot or will not answer.
        """
        self._need("event")
        catalog: obspy.Catalog = self._patiently(
            f"event {event_id}", lambda: self._client.get_events(eventid=event_id)
        )
        return catalog

    def stations(self, **query: Any) -> obspy.Inventory:
        """Return stations with full responses; parameters are those of the station service.

        Raises
        ------
        NoDataError
            If none match.
        TransportError
            If the centre cannot or will not answer.
        """
        self._need("station")
        inventory: obspy.Inventory = self._patiently(
            "stations", lambda: self._client.get_stations(level="response", **query)
        )
        return inventory

    def waveforms(self, lines: Sequence[BulkLine]) -> bytes:
        """Return MiniSEED as the centre sends it.

        Raises
        ------
        NoDataError
            If there are no data.
        TooLargeError
            If fewer lines have to be asked for.
        TransportError
            If the centre cannot or will not answer.
        """
        self._need("dataselect")

        def download() -> bytes:
            buffer = io.BytesIO()
            self._client.get_waveforms_bulk(list(lines), filename=buffer)
            return buffer.getvalue()

        return self._patiently("waveforms", download)

    def _need(self, service: str) -> None:
        if not self.has(service):
            raise ConnectError(self.name, f"has no {service} service", hint="another --client")

    def _patiently(self, what: str, call: Callable[[], _T]) -> _T:
        """Call; repeat what may pass, translate what does not."""
        for wait_s in (*_WAITS_S, None):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # about odd fields; the reader judges the data
                    return call()
            except Exception as error:  # ObsPy raises many kinds: _translated
                translated, may_pass = self._translated(what, error)
                if wait_s is None or not may_pass:
                    raise translated from error
                self._say(f"{self.host}: {what}: {_words(error)}; again in {wait_s:g} s")
                self._wait(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def _translated(self, what: str, error: Exception) -> tuple[Exception, bool]:
        """Return our own error, and whether another attempt may help."""
        from obspy.clients.fdsn import header

        words = f"{what}: {_words(error)}"
        match error:
            case header.FDSNNoDataException():
                return NoDataError(words), False
            case header.FDSNRequestTooLargeException():
                return TooLargeError(words), False
            case header.FDSNUnauthorizedException() | header.FDSNForbiddenException():
                hint = "these data are not open: --user and EEW_FDSN_PASSWORD"
                return TransportError(self.name, f"{what}: wants a login", hint=hint), False
            case header.FDSNNoServiceException() | header.FDSNRedirectException():
                return ConnectError(self.name, _words(error), hint=_NO_NETWORK), False
            case (
                header.FDSNTimeoutException()
                | header.FDSNTooManyRequestsException()
                | header.FDSNInternalServerException()
                | header.FDSNBadGatewayException()
                | header.FDSNServiceUnavailableException()
            ):
                return TransportError(self.name, words, hint="try again later"), True
            case ValueError() if what == _CONNECTING:
                return ConfigError("--client", _words(error)), False
            case header.FDSNBadRequestException() | header.FDSNInvalidRequestException():
                return TransportError(self.name, words), False
            case header.FDSNException() if "HTTP code: 404" in str(error):
                return NoDataError(words), False  # how some centres say that there is nothing
            case header.FDSNException() | OSError():
                # the connection broke, or was not made
                return ConnectError(self.name, words, hint="is there a network?"), True
        return error, False  # not of the network: a bug, theirs or ours


def _address(where: str, names: dict[str, str]) -> str:
    if where.upper() in names:
        return names[where.upper()]
    parts = urlsplit(where)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        known = ", ".join(sorted(names))
        raise ConfigError("--client", f"{where!r} is no URL and no known centre", hint=known)
    if parts.username or parts.query or parts.fragment:
        raise ConfigError("--client", "must be http://host[:port]", hint="login: --user")
    return where.rstrip("/")


def _reach(url: str) -> str:
    """Say why nobody is there; empty where somebody is."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=_PROBE_S):
            return ""
    except socket.gaierror:
        return f"unknown host {parts.hostname}"
    except OSError as error:
        return (
            f"cannot connect to {parts.hostname}:{port}: {(error.strerror or str(error)).lower()}"
        )


def _words(error: Exception) -> str:
    """Return the first and the telling line of an error of ObsPy."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("HTTP Status", "Detailed", "Error "))]
    return " ".join(telling[:2])[:200] or type(error).__name__
