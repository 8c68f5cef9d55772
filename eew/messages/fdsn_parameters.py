"""The parameters of the FDSN web services that are understood: names, types, what they do.

Names and meanings are those of the FDSN Web Service Specifications 1.2 (fdsn.org/webservices).
One table serves both the parser and the WADL that a client reads to learn what a service can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

__all__ = ["NO_DATA_CODES", "SERVICES", "VERSIONS", "Parameter", "wadl"]

NO_DATA_CODES = (204, 404)
VERSIONS = {"dataselect": "1.1.1", "station": "1.1.1", "event": "1.2.0"}
_WADL_TYPES = {"time": "xs:dateTime", "text": "xs:string", "number": "xs:double"}
_WADL_TYPES |= {"count": "xs:int", "flag": "xs:boolean"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a query.

    Attributes
    ----------
    kind : str
        ``time``, ``text``, ``number``, ``count`` or ``flag``.
    alias : str
        Short name; empty where there is none.
    options : tuple of str
        The values that are allowed; empty where any is.
    lowest, highest : float
        Limits of a number or count.
    default : str
        As it would be written; empty where there is none.
    """

    name: str
    kind: str
    alias: str = ""
    options: tuple[str, ...] = ()
    lowest: float = float("-inf")
    highest: float = float("inf")
    default: str = ""


_NODATA = Parameter("nodata", "count", options=("204", "404"), default="204")
_TIMES = (Parameter("starttime", "time", "start"), Parameter("endtime", "time", "end"))
_CODES = (
    Parameter("network", "text", "net"),
    Parameter("station", "text", "sta"),
    Parameter("location", "text", "loc"),
    Parameter("channel", "text", "cha"),
)
_AREA = (
    Parameter("minlatitude", "number", "minlat", lowest=-90.0, highest=90.0),
    Parameter("maxlatitude", "number", "maxlat", lowest=-90.0, highest=90.0),
    Parameter("minlongitude", "number", "minlon", lowest=-180.0, highest=180.0),
    Parameter("maxlongitude", "number", "maxlon", lowest=-180.0, highest=180.0),
    Parameter("latitude", "number", "lat", lowest=-90.0, highest=90.0),
    Parameter("longitude", "number", "lon", lowest=-180.0, highest=180.0),
    Parameter("minradius", "number", lowest=0.0, highest=180.0),
    Parameter("maxradius", "number", lowest=0.0, highest=180.0),
)
SERVICES: dict[str, tuple[Parameter, ...]] = {
    "dataselect": (
        *_TIMES,
        *_CODES,
        # one quality of data is all there is, so any may be asked for
        Parameter("quality", "text", options=("D", "R", "Q", "M", "B"), default="B"),
        Parameter("minimumlength", "number", lowest=0.0, default="0.0"),
        Parameter("longestonly", "flag", default="false"),
        Parameter("format", "text", options=("miniseed",), default="miniseed"),
        _NODATA,
    ),
    "station": (
        *_TIMES,
        Parameter("startbefore", "time"),
        Parameter("startafter", "time"),
        Parameter("endbefore", "time"),
        Parameter("endafter", "time"),
        *_CODES,
        *_AREA,
        Parameter(
            "level", "text", options=("network", "station", "channel", "response"),
            default="station",
        ),
        # nothing here is restricted, so including it changes nothing
        Parameter("includerestricted", "flag", default="true"),
        Parameter("matchtimeseries", "flag", default="false"),
        Parameter("format", "text", options=("xml", "text"), default="xml"),
        _NODATA,
    ),
    "event": (
        *_TIMES,
        *_AREA,
        Parameter("mindepth", "number"),
        Parameter("maxdepth", "number"),
        Parameter("minmagnitude", "number", "minmag"),
        Parameter("maxmagnitude", "number", "maxmag"),
        Parameter("magnitudetype", "text", "magtype"),
        Parameter("eventid", "text"),
        Parameter("limit", "count", lowest=1),
        Parameter("offset", "count", lowest=1, default="1"),
        Parameter(
            "orderby", "text", options=("time", "time-asc", "magnitude", "magnitude-asc"),
            default="time",
        ),
        Parameter("format", "text", options=("xml", "text"), default="xml"),
        _NODATA,
    ),
}  # fmt: skip


def wadl(service: str, base: str) -> str:
    """Describe a service in WADL (W3C submission of 2009), as clients read it first.

    Parameters
    ----------
    base : str
        URL of the service with its version, ``http://host:port/fdsnws/station/1``.
    """
    rows = []
    for parameter in SERVICES[service]:
        attributes = f'name={quoteattr(parameter.name)} style="query"'
        attributes += f' type="{_WADL_TYPES[parameter.kind]}"'
        if parameter.default:
            attributes += f" default={quoteattr(parameter.default)}"
        options = "".join(f"<option value={quoteattr(value)}/>" for value in parameter.options)
        rows.append(f"        <param {attributes}>{options}</param>")
    parameters = "\n".join(rows)
    media = {"dataselect": "application/vnd.fdsn.mseed"}.get(service, "application/xml")
    post = (
        '      <method name="POST" id="queryPost">'
        f'<response status="200"><representation mediaType="{media}"/></response></method>\n'
        if service != "event"
        else ""
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<application xmlns="http://wadl.dev.java.net/2009/02" xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <resources base={quoteattr(base + "/")}>
    <resource path="query">
      <method name="GET" id="query"><request>
{parameters}
      </request><response status="200"><representation mediaType="{media}"/></response></method>
{post}    </resource>
    <resource path="version"><method name="GET" id="version">
      <response status="200"><representation mediaType="text/plain"/></response>
    </method></resource>
    <resource path="application.wadl"><method name="GET" id="application.wadl">
      <response status="200"><representation mediaType="application/xml"/></response>
    </method></resource>
  </resources>
</application>
"""
