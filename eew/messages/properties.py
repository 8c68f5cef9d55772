"""What MQTT 5 says beside a payload: expiry, type of content, schema and trace.

Nothing here is needed to be safe: with 3.1.1 all of it is dropped, and expiry, schema and order
stand in the signed payload. Brokers use the expiry to forget, services the trace to follow one
message through their logs.
"""

from __future__ import annotations

import hashlib
import math

from eew.mqtt_packets import Properties

__all__ = ["CONTENT_TYPE", "CONTENT_TYPE_DEFLATED", "properties_of", "traceparent"]

CONTENT_TYPE = "application/json"
CONTENT_TYPE_DEFLATED = "application/zlib"  # RFC 6713
_LONGEST_S = 2**32 - 1


def properties_of(
    schema: str, *, left_s: float | None = None, trace: str = "", deflated: bool = False
) -> Properties:
    """Return the properties of a payload.

    Parameters
    ----------
    schema : str
        Such as ``eew.alert/2``.
    left_s : float, optional
        Until the message expires; rounded up, and at least 1 s, since 0 would mean "at once".
        Left out where a message has no end.
    trace : str, optional
        From :func:`traceparent`.
    deflated : bool
        Whether the payload is packed JSON (a large help pack).

    Raises
    ------
    ValueError
        If ``left_s`` is not a number.
    """
    if left_s is not None and math.isnan(left_s):
        raise ValueError(f"left_s must be a number, was {left_s!r}")
    user = [("schema", schema)]
    if trace:
        user.append(("traceparent", trace))
    return Properties(
        expiry_s=None if left_s is None else max(1, math.ceil(min(left_s, _LONGEST_S))),
        content_type=CONTENT_TYPE_DEFLATED if deflated else CONTENT_TYPE,
        user=tuple(user),
    )


def traceparent(run_id: str, event_id: str, serial: int) -> str:
    """Return a W3C trace context: one trace per event of a run, one span per message.

    The same for the same input, so that a replay can be compared with another. W3C, Trace Context
    Level 1 (2020), section 3.2.
    """
    trace = hashlib.sha256(f"{run_id}\n{event_id}".encode()).digest()[:16]
    span = hashlib.sha256(trace + serial.to_bytes(8, "big")).digest()[:8]
    return f"00-{trace.hex()}-{span.hex()}-01"
