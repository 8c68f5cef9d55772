"""The detector: packets in, domain events out; no I/O, no clock."""
