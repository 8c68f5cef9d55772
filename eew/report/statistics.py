"""Quantiles and residual statistics of a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

QUANTILES = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}


def quantiles(samples: Sequence[float], *, digits: int = 3) -> dict[str, float | None]:
    """Return p50, p95, p99 and max (linear between samples), all None without samples.

    >>> quantiles([1.0, 2.0, 3.0])["p50"]
    2.0
    """
    if not samples:
        return dict.fromkeys(QUANTILES)
    values = np.percentile(np.asarray(samples, dtype=np.float64), list(QUANTILES.values()))
    return {
        name: round(float(value), digits) for name, value in zip(QUANTILES, values, strict=True)
    }


def bias_and_sigma(residuals: Sequence[float]) -> tuple[float | None, float | None]:
    """Return mean and sample standard deviation; None where too few values are there."""
    if not residuals:
        return None, None
    values = np.asarray(residuals, dtype=np.float64)
    sigma = float(values.std(ddof=1)) if values.size > 1 else None
    return float(values.mean()), sigma
