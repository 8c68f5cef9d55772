"""Waveforms of many stations from a data centre, in requests that it can bear."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from eew.errors import TransportError
from eew.ingest.fdsn_client import BulkLine, DataCentre, NoDataError, TooLargeError
from eew.ingest.mseed_records import find_records
from eew.model.waveform import DataProblem

if TYPE_CHECKING:
    import obspy

__all__ = ["BulkDownload", "Station", "stations_in"]

_GIVE_UP_AFTER = 3  # stations in a row that fail: the centre is gone, not the station

Station = tuple[str, str]  # network and station code


class BulkDownload:
    """Gets the waveforms of some stations; what fails is halved, then left out.

    Attributes
    ----------
    parts : list of bytes
        MiniSEED as it came.
    problems : list of DataProblem
        Stations that are left out, a line each.
    failure : TransportError or None
        The newest one.
    """

    def __init__(
        self,
        centre: DataCentre,
        span: tuple[obspy.UTCDateTime, obspy.UTCDateTime],
    ) -> None:
        self._centre = centre
        self._span = span
        self.parts: list[bytes] = []
        self.problems: list[DataProblem] = []
        self._failures = 0
        self.failure: TransportError | None = None

    def get(self, stations: Sequence[Station], pattern: str) -> None:
        """Add the data of some stations to the parts."""
        if self._failures >= _GIVE_UP_AFTER:
            self._leave_out(stations, "not asked for: the centre had stopped answering")
            return
        lines: list[BulkLine] = [
            (network, station, "*", pattern, *self._span) for network, station in stations
        ]
        try:
            data = self._centre.waveforms(lines)
        except NoDataError:
            self._failures = 0
            return
        except (TooLargeError, TransportError) as error:
            if isinstance(error, TransportError):
                self.failure = error
            if len(stations) > 1:
                middle = len(stations) // 2
                self.get(stations[:middle], pattern)
                self.get(stations[middle:], pattern)
                return
            self._failures += 1
            self._leave_out(stations, " ".join(str(error).split()))
            return
        self._failures = 0
        records, _ = find_records(data)
        if records:
            self.parts.append(data)

    def _leave_out(self, stations: Iterable[Station], why: str) -> None:
        listed = {problem.where for problem in self.problems}
        self.problems += [
            DataProblem(kind="no_waveform", where=where, detail=why)
            for network, station in stations
            if (where := f"{network}.{station}") not in listed  # one line a station, the first
        ]


def stations_in(data: bytes) -> set[Station]:
    """Return the stations of which there is a record in some MiniSEED."""
    import obspy

    if not data:
        return set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a broken record is the reader's to judge
        stream = obspy.read(io.BytesIO(data), format="MSEED", headonly=True)
    return {(trace.stats.network, trace.stats.station) for trace in stream}
