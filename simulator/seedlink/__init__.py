"""A SeedLink server (versions 3.1 and 4.0) for recordings that play as if they were live.

``protocol`` is the conversation without any I/O, ``server`` the TCP shell around it, ``ring``
what clients read from, ``records`` the way from packets to MiniSEED, ``feed`` the clock.
"""

from __future__ import annotations

from simulator.seedlink.feed import feed
from simulator.seedlink.limits import ServerLimits
from simulator.seedlink.records import RecordEncoder
from simulator.seedlink.ring import RecordRing
from simulator.seedlink.server import SeedLinkServer

__all__ = ["RecordEncoder", "RecordRing", "SeedLinkServer", "ServerLimits", "feed"]
