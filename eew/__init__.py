"""Earthquake early-warning alert simulator: detector, alerts, delivery, measurement."""

__version__ = "0.1.0"
