"""Simulated phones and TVs: what a person is shown, computed on the device."""
