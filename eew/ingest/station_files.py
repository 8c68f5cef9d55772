"""Metadata of stations without any data: a StationXML file, a folder of them, or a URL."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

from eew.errors import ConnectError, DataError, MetadataError
from eew.ingest.inventory import Metadata, read_stationxml
from eew.ingest.selection import Selection

if TYPE_CHECKING:
    import obspy

__all__ = ["metadata_from_path", "metadata_from_url"]

_TIMEOUT_S = 60.0  # of silence; a national inventory with responses takes minutes in all
_NO_CONTENT = 204
_SERVICE_PATH = "/fdsnws/station/1"


def metadata_from_path(path: Path) -> Metadata:
    """Read a StationXML file, or every ``*.xml`` of a folder that is one.

    Raises
    ------
    MetadataError
        If the file cannot be read, or the folder holds no StationXML.
    """
    if path.is_file():
        return Metadata([_inventory(path)])
    inventories = []
    for file in sorted(path.glob("*.xml")):
        try:
            inventories.append(_inventory(file))
        except MetadataError:
            continue  # QuakeML stands there too
    if not inventories:
        raise MetadataError(str(path), "no StationXML (*.xml) in this folder")
    return Metadata(inventories)


def metadata_from_url(url: str, selection: Selection) -> Metadata:
    """Ask an fdsnws-station service.

    Parameters
    ----------
    url : str
        Of a query (its path ends in ``/query``), taken as it is; or of the service's host, which
        is then asked for the stations of ``selection``.

    Raises
    ------
    ConnectError
        If nobody answers.
    MetadataError
        If the answer is an error, empty, or no StationXML.
    """
    inventories = []
    for query in _queries(url, selection):
        try:
            with urllib.request.urlopen(query, timeout=_TIMEOUT_S) as answer:
                status, data = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            raise MetadataError(
                query, f"the service answers {error.code} {error.reason}"
            ) from error
        except (OSError, ValueError) as error:  # URLError is an OSError
            reason = getattr(error, "reason", None) or error
            raise ConnectError(query, f"no metadata from there: {reason}") from error
        if status != _NO_CONTENT and data:
            inventories.append(read_stationxml(data, name=query)[0])
    if not inventories:
        raise MetadataError(url, "the service has no such stations")
    return Metadata(inventories)


def _queries(url: str, selection: Selection) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.path.rstrip("/").endswith("/query"):
        yield url
        return
    path = parts.path.rstrip("/")
    path = path if path.endswith(_SERVICE_PATH) else f"{path}{_SERVICE_PATH}"
    words = {"level": "response", "format": "xml"}
    stations = sorted({pattern.station for pattern in selection.patterns}) or ["*_*"]
    for station in stations:
        network, _, code = station.partition("_")
        query = urlencode(words | {"network": network, "station": code}, safe="*?")
        yield urlunsplit((parts.scheme, parts.netloc, f"{path}/query", query, ""))


def _inventory(file: Path) -> obspy.Inventory:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DataError(str(file), f"cannot be read: {error.strerror}") from error
    return read_stationxml(data, name=str(file))[0]
