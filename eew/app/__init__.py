"""Composition root: joins simulator, core, delivery, clients and report into one run."""
