"""How the logic of a share is made in its process: places and keys, nothing that is open."""

from __future__ import annotations

from dataclasses import dataclass

from clients.crowd.logic import CrowdLogic
from clients.crowd.places import CrowdPlaces
from eew.messages.seal import Keyring, PublicKey

__all__ = ["CrowdRecipe"]


@dataclass(frozen=True, kw_only=True)
class CrowdRecipe:
    """Places and trusted keys of a share."""

    places: CrowdPlaces
    keys: tuple[PublicKey, ...]
    follow_heartbeat: bool = True

    def build(self) -> CrowdLogic:
        """Make the logic."""
        return CrowdLogic(self.places, Keyring(self.keys), follow_heartbeat=self.follow_heartbeat)
