"""Formulas used by the detector and by the devices alike: one copy only."""
