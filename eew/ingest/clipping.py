"""From how many counts on a sample is taken as clipped, judged by the metadata alone.

A live system does not know the rest of the record, so the record's own largest value is no
evidence here. Signals cut off elsewhere (a sensor at its stop, a rail of the amplifier) are found
by the detector's flat-top test; this is only the end of the digitiser's number range.

A limit is given where the counts plausibly come straight from a digitiser:

* the response has a stage from volts to counts. 2**23 is the full scale, or 2**25 where 2**23
  counts would be fewer volts than a broadband sensor puts out (26-bit digitisers); or
* there is only an overall sensitivity, but it makes 2**23 counts a customary range of an
  accelerometer (1/4 to 4 g within 3 %).

Anything else has no known limit: records converted from text are numbers scaled by a power of
ten (per m/s**2 or per g), and their largest possible count says nothing about a digitiser.
"""

from __future__ import annotations

import math

from eew.ingest.limits import limits
from eew.model.waveform import SensorKind

__all__ = ["clip_counts"]


def clip_counts(
    kind: SensorKind, *, sensitivity: float, digitiser_counts_per_v: float | None
) -> float:
    """Give the counts beyond which a sample of an integer stream is taken as clipped.

    Parameters
    ----------
    kind : SensorKind
        What the sensor measures.
    sensitivity : float
        Counts per SI unit of ``kind``, not 0.
    digitiser_counts_per_v : float or None
        Gain of the response stage from volts to counts, where there is one.

    Returns
    -------
    float
        ``inf`` where the full scale is not known.
    """
    limit = limits()
    if digitiser_counts_per_v:
        full_scale = limit.full_scale_counts
        volts = full_scale / abs(digitiser_counts_per_v)
        if kind is SensorKind.VELOCITY and volts < limit.min_velocity_full_scale_v:
            full_scale = limit.full_scale_counts_26_bit
        return limit.clip_fraction * full_scale
    if kind is SensorKind.ACCELERATION:
        reach_mps2 = limit.full_scale_counts / abs(sensitivity)
        if any(
            math.isclose(reach_mps2, range_mps2, rel_tol=limit.accelerometer_range_tolerance)
            for range_mps2 in limit.accelerometer_ranges_mps2
        ):
            return limit.clip_fraction * limit.full_scale_counts
    return math.inf
