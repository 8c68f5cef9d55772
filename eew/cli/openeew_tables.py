"""What ``eew openeew delays`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from eew.app.openeew_delays import FirstAlert
    from eew.ingest.openeew_delays import DeviceDelays


def _delay_rows(devices: list[DeviceDelays]) -> list[dict[str, float | int | str]]:
    return [
        {
            "device": one.device_id,
            "packets": one.n_packets,
            "gaps": one.n_gaps,
            "duplicates": one.n_duplicates,
            "interval_s": round(one.interval_s, 4),
            "rate_hz": round(one.rate_hz, 3),
            "offset_s": round(one.offset_s, 3),
            "drift_ppm": round(one.drift_ppm, 1),
            "jitter_ms": round(one.jitter_ms, 2),
            "median_s": round(one.percentile_s(50.0), 3),
            "p95_s": round(one.percentile_s(95.0), 3),
            "max_s": round(one.percentile_s(100.0), 3),
        }
        for one in devices
    ]


def delays_json(devices: list[DeviceDelays], found: list[FirstAlert]) -> dict[str, object]:
    """Return delays and first alerts as plain values."""
    import numpy as np

    from eew.ingest.openeew_delays import pooled

    median_s, p95_s, max_s = np.percentile(pooled(devices), [50.0, 95.0, 100.0]).round(3).tolist()
    return {
        "simulation": True,
        "devices": _delay_rows(devices),
        "all": {"median_s": median_s, "p95_s": p95_s, "max_s": max_s},
        "first_alerts": [
            {
                "way": one.way,
                "after_s": None if one.after_s is None else round(one.after_s, 3),
                "magnitude": one.magnitude,
                "n_stations": one.n_stations,
            }
            for one in found
        ],
    }


def delay_table(devices: list[DeviceDelays]) -> Table:
    """Return a row per device, and the delays of all packets together."""
    import numpy as np
    from rich.table import Table

    from eew.ingest.openeew_delays import pooled

    table = Table(box=None, pad_edge=False, show_footer=True)
    median_s, p95_s, max_s = np.percentile(pooled(devices), [50.0, 95.0, 100.0])
    columns = [
        ("device", "all"),
        ("packets", str(sum(one.n_packets for one in devices))),
        ("gaps", str(sum(one.n_gaps for one in devices))),
        ("rate Hz", ""),
        ("clock put right", ""),
        ("drift", ""),
        ("jitter", ""),
        ("delay p50", f"{median_s:.2f} s"),
        ("p95", f"{p95_s:.2f} s"),
        ("max", f"{max_s:.2f} s"),
    ]
    for name, footer in columns:
        table.add_column(name, footer, justify="left" if name == "device" else "right")
    for one in devices:
        table.add_row(
            one.device_id,
            str(one.n_packets),
            str(one.n_gaps),
            f"{one.rate_hz:.2f}",
            f"{one.offset_s:+.2f} s" if one.offset_s else "-",
            f"{one.drift_ppm:+.0f} ppm",
            f"{one.jitter_ms:.1f} ms",
            f"{one.percentile_s(50.0):.2f} s",
            f"{one.percentile_s(95.0):.2f} s",
            f"{one.percentile_s(100.0):.2f} s",
        )
    return table


def alert_table(found: list[FirstAlert]) -> Table:
    """Return a row per way of arriving; the first one is as recorded."""
    from rich.table import Table

    table = Table("packets arrive", box=None, pad_edge=False)
    for name in ("first alert", "later than recorded", "magnitude", "stations"):
        table.add_column(name, justify="right")
    recorded_s = found[0].after_s
    for one in found:
        if one.after_s is None:
            table.add_row(one.way, "none", "-", "-", "-")
            continue
        later = "-"
        if recorded_s is not None and one is not found[0]:
            later = f"{one.after_s - recorded_s:+.2f} s"
        table.add_row(
            one.way, f"{one.after_s:.2f} s", later, f"{one.magnitude:.1f}", str(one.n_stations)
        )
    return table
