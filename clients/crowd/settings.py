"""How the connections of a crowd behave: how many at once, how often, how long."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AWAKE_S", "EngineSettings"]

# A dozen deliveries of mosquitto (15 us each); what it bought: docs/decisions/0047-crowd.md.
AWAKE_S = 0.0002


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How the connections behave.

    Attributes
    ----------
    most_connecting : int
        Between CONNECT and SUBACK at once; mosquitto's listen backlog is 100.
    connects_per_s : float
        No more attempts than this, also while the broker is away.
    connect_timeout_s : float
        From connect to SUBACK.
    current_s : float
        How long after the SUBACK the current state is left: brokers may send what is retained
        after it.
    settle_per_s : float
        So many devices each second subscribe to what is not urgent.
    beats_s : float
        How long phones then listen to the heartbeat, to check their clock by three of them.
    gather_quiet_s, gather_latest_s, gather_most : float, float, int
        Deliveries are handed to the logic together: when nothing has come for so long, so long
        after the first at the latest, or when there are so many. One call for a thousand costs a
        tenth, each, of one for a hundred; the time of receipt is each delivery's own.
    awake_s : float
        So long a burst may pause before we sleep. A broker on this machine that writes to one who
        sleeps has to wake it, which costs as much as a delivery and which no real phone asks of
        it. 0 where there are no more processors than processes of a crowd: then it would be kept
        from its own.
    ack_quiet_s, ack_latest_s : float
        PUBACKs leave when nothing has come for so long, and so long after the first at the latest.
    """

    most_connecting: int = 64
    connects_per_s: float = 6000.0
    connect_timeout_s: float = 8.0
    current_s: float = 0.3
    settle_per_s: float = 400.0
    beats_s: float = 4.0
    gather_quiet_s: float = 0.001
    gather_latest_s: float = 0.02
    gather_most: int = 4096
    awake_s: float = AWAKE_S
    ack_quiet_s: float = 0.01
    ack_latest_s: float = 0.5
    keepalive_s: int = 60
    receive_maximum: int = 200
