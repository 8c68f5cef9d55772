"""Adapters that carry alerts out: brokers and publishers."""
