"""Did a run do what its scenario expects? One line per thing that is asked."""

from __future__ import annotations

from collections.abc import Iterator

from eew.report.result import Expected, RunResult
from simulator.scenario_fields import Expectation

__all__ = ["compared"]


def compared(expect: Expectation | None, result: RunResult) -> tuple[Expected, ...]:
    """Compare a run with what its scenario expects; a run that was cut short is not judged."""
    if expect is None or not result.info.complete:
        return ()
    return tuple(_lines(expect, result))


def _lines(expect: Expectation, result: RunResult) -> Iterator[Expected]:
    found = result.detection
    if expect.no_alert:
        yield Expected(
            name="no_alert",
            asked="no alert",
            found=f"{found.events} events alerted" if result.messages else "none",
            met=not result.messages,
        )
    if expect.detected is not None:
        yield Expected(
            name="detected",
            asked=_yes("the quake is alerted", expect.detected),
            found=_yes("alerted", found.detected),
            met=found.detected is expect.detected,
        )
    if expect.events is not None:
        yield Expected(
            name="events",
            asked=f"{expect.events} events alerted",
            found=str(found.events),
            met=found.events == expect.events,
        )
    figures = (
        ("first_alert_s", "first alert within {:g} s", "s", found.first_alert_s),
        ("epicentre_error_km", "epicentre within {:g} km", "km", found.epicentre_error_km.final),
        ("magnitude_error", "magnitude within {:g}", "", found.magnitude_error.final),
    )
    for name, words, unit, value in figures:
        most = getattr(expect, name)
        if most is not None:
            yield Expected(
                name=name,
                asked=words.format(most),
                found="unknown" if value is None else f"{value:.2f} {unit}".strip(),
                met=value is not None and abs(value) <= most,
            )


def _yes(words: str, is_so: bool) -> str:
    return words if is_so else f"not: {words}"
