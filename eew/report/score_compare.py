"""Two score documents side by side: what got better, what got worse, and what got too much worse.

Which figures are compared, which way is good, and by how much a figure may get worse stands with
its reason in ``eew/tables/score.toml``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from eew.errors import ConfigError, DataError
from eew.report.summary import number
from eew.tables import load_table

SCORE_SCHEMA = "eew.score/1"
TOTALS = "totals"
Verdict = Literal["better", "same", "worse", "too much worse"]
_LINE = 100  # columns; keys come on top
_ROW = 12  # numbers a line
_TINY = 1e-9  # documents are rounded; this keeps a band of 0.3 from failing at 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """How much worse a figure may get; ``better`` is "lower", "higher" or "zero"."""

    figure: str
    better: str
    band: float
    reason: str

    def __post_init__(self) -> None:
        if self.better not in ("lower", "higher", "zero"):
            where = f"score.toml, band of {self.figure}"
            raise ConfigError(where, f"better must be lower, higher or zero, was {self.better!r}")

    def worse_by(self, old: float, new: float) -> float:
        """Return by how much ``new`` is worse than ``old``; negative where it is better."""
        if self.better == "lower":
            return new - old
        return old - new if self.better == "higher" else abs(new) - abs(old)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One figure in two documents; ``where`` is a folder, or ``totals``.

    ``worse_by`` is None where one of the two documents does not know the figure: what is not
    there any more is too much worse, what is new is better.
    """

    where: str
    figure: str
    old: float | None
    new: float | None
    worse_by: float | None
    band: float
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All figures of two documents; ``notes`` say what keeps them from being comparable."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]

    @property
    def failed(self) -> tuple[Change, ...]:
        """Figures that got worse beyond their band."""
        return tuple(one for one in self.changes if one.verdict == "too much worse")

    def as_document(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "failed": len(self.failed),
            "notes": list(self.notes),
            "changes": [asdict(one) for one in self.changes],
        }


def load_bands() -> tuple[tuple[Band, ...], tuple[Band, ...]]:
    """Return the bands of folders and those of totals."""
    table = load_table("score")["bands"]
    folder, total = (tuple(Band(**row) for row in table[key]) for key in ("folder", "total"))
    return folder, total


def read_document(path: Path) -> dict[str, Any]:
    """Read a score that was written as JSON.

    Raises
    ------
    DataError
        If the file cannot be read or is no score of this schema.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DataError(str(path), f"is no JSON: {error}") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCORE_SCHEMA:
        raise DataError(str(path), f"schema must be {SCORE_SCHEMA!r}, was {schema!r}")
    return dict(document)


def score_bytes(document: Mapping[str, Any]) -> bytes:
    """Return a score as UTF-8 JSON: a line per group of figures, so that a change is one line."""
    return (_laid_out(document, "") + "\n").encode()


def _laid_out(value: Any, indent: str) -> str:
    flat = json.dumps(value, ensure_ascii=False, allow_nan=False)
    deeper = indent + " "
    if not isinstance(value, Mapping | list) or not value:
        return flat
    parts = list(value.values()) if isinstance(value, Mapping) else value
    if len(indent) + len(flat) <= _LINE and not any(isinstance(one, Mapping) for one in parts):
        return flat
    lines = [_laid_out(one, deeper) for one in parts]
    if isinstance(value, Mapping):
        keys = (json.dumps(key, ensure_ascii=False) for key in value)
        lines = [f"{key}: {line}" for key, line in zip(keys, lines, strict=True)]
    elif all(isinstance(one, int | float) for one in parts):
        rows = [", ".join(lines[n : n + _ROW]) for n in range(0, len(lines), _ROW)]
        lines = rows
    opened, closed = ("{", "}") if isinstance(value, Mapping) else ("[", "]")
    return f",\n{deeper}".join(lines).join((f"{opened}\n{deeper}", f"\n{indent}{closed}"))


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Comparison:
    """Compare the folders that both documents have, and the totals if all are the same."""
    folder_bands, total_bands = load_bands()
    notes = [
        f"{key}: {old['settings'].get(key)} then, {value} now"
        for key, value in new["settings"].items()
        if key != "version" and old["settings"].get(key) != value
    ]
    changes: list[Change] = []
    for name in sorted({*old["folders"], *new["folders"]}):
        then, now = old["folders"].get(name), new["folders"].get(name)
        if then is None or now is None:
            notes.append(f"{name}: only in the {'new' if then is None else 'old'} score")
            continue
        if then["input_sha256"] != now["input_sha256"]:
            notes.append(f"{name}: its files are not those of the old score")
        changes += _changes(name, then, now, folder_bands)
    if sorted(old["folders"]) == sorted(new["folders"]):
        changes += _changes(TOTALS, old[TOTALS], new[TOTALS], total_bands)
    else:
        notes.append("totals: not compared, they are over other folders")
    return Comparison(changes=tuple(changes), notes=tuple(notes))


def _changes(
    where: str, old: Mapping[str, Any], new: Mapping[str, Any], bands: Sequence[Band]
) -> list[Change]:
    found = []
    for band in bands:
        then, now = _figure(old, band.figure), _figure(new, band.figure)
        if then is None and now is None:
            continue
        worse_by = None if then is None or now is None else band.worse_by(then, now)
        found.append(
            Change(
                where=where,
                figure=band.figure,
                old=then,
                new=now,
                worse_by=number(worse_by, 3),
                band=band.band,
                verdict=_verdict(then, worse_by, band.band),
                reason=band.reason,
            )
        )
    return found


def _verdict(old: float | None, worse_by: float | None, band: float) -> Verdict:
    if worse_by is None:
        return "better" if old is None else "too much worse"
    if worse_by > band + _TINY:
        return "too much worse"
    if worse_by > _TINY:
        return "worse"
    return "better" if worse_by < -_TINY else "same"


def _figure(part: Mapping[str, Any], path: str) -> float | None:
    """Look up ``a.b.c``; None where a step is missing or the end is no number."""
    found: Any = part
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return float(found) if isinstance(found, bool | int | float) else None
