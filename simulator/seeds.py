"""The one seam through which chance enters: generators made from the run's seed and a label."""

from __future__ import annotations

import hashlib

import numpy as np

from eew.errors import ConfigError

__all__ = ["rng"]


def rng(seed: int, *labels: str | int) -> np.random.Generator:
    """Make the random generator of one purpose.

    Each label gives a stream of its own, so that a station, a device or a fault draws the same
    numbers whatever else is drawn in the run. The labels go through SHA-256, so the stream is the
    same in every process and on every machine (Python's own ``hash`` of a string is not).

    Parameters
    ----------
    seed : int
        The run's seed, >= 0.
    labels : str or int
        What the generator is for, for example ``rng(seed, "link-delay", "CI.CCC")``. ``1`` and
        ``"1"`` differ.

    Raises
    ------
    ConfigError
        If the seed is negative.
    """
    if seed < 0:
        raise ConfigError("seed", f"must be >= 0, was {seed}")
    digest = hashlib.sha256()
    for label in labels:
        text = f"{'str' if isinstance(label, str) else 'int'}:{label}".encode()
        digest.update(len(text).to_bytes(8, "big"))  # ("ab", "c") is not ("a", "bc")
        digest.update(text)
    words = np.frombuffer(digest.digest(), dtype=">u4").tolist()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))
