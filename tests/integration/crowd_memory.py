"""How much memory a device adds to its process, all it needs included: run as a program.

A small crowd goes first, so that code and tables that are loaded once are not counted as devices'.
"""

from __future__ import annotations

import sys

from clients.crowd.share import memory_bytes
from tests.integration.crowd_broker import Crowd, Service, live_alert, places


def told(port: int, n: int, serial: int) -> Crowd:
    """Return a crowd of which everybody has been told, still connected."""
    crowd = Crowd(places(n), port)
    crowd.engine.connect(range(n))
    crowd.until("settled", 60.0)
    with Service(port) as service:
        service.publish(crowd.alert_topics(), live_alert(serial))
        crowd.until("told", 60.0)
    crowd.idle(0.3)
    return crowd


def main() -> None:
    """Print KiB per device."""
    port, n = int(sys.argv[1]), int(sys.argv[2])
    with told(port, 50, 1):
        before_bytes = memory_bytes()
        crowd = told(port, n, 2)
        with crowd:
            sys.stdout.write(f"{(memory_bytes() - before_bytes) / 1024 / crowd.n:.3f}\n")


if __name__ == "__main__":
    main()
