"""Tens of thousands of devices in a few processes, each with a real connection of its own."""
