"""Frozen types shared by every layer; no behaviour beyond validation."""
