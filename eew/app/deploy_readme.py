"""The README.txt of a deployment."""

from __future__ import annotations

from eew.app.deploy_plan import Deployment

__all__ = ["readme"]


def readme(deployment: Deployment, *, n_cells: int, days: int) -> str:
    """Return the text: how to start the brokers, what each account may do, what to guard."""
    certificates = deployment.auth == "certificates"
    proof = "a certificate" if certificates else "a password"
    service = deployment.hubs[0]
    rows = [f"  {one.name:<10} {one.url}" for one in deployment.brokers]
    return f"""\
SIMULATION. Brokers for the earthquake early-warning simulator, written by eew deploy mosquitto.
Nothing here can send an actual alert.

Brokers
{chr(10).join(rows)}

Starting
  Copy each folder to its machine, keep the modes of the files, and start mosquitto 2.0 or later
  in it:
      cd {service.name} && mosquitto -c mosquitto.conf
  Hubs first is quicker, but any order works: a leaf looks for its hubs until they are there.
  mosquitto must be able to read the keys: start it as the owner of the files, or as root, in
  which case it becomes the user named in mosquitto.conf.

Trying it
      set -a; . credentials/service-exercise.env; set +a
      eew replay luding-2022 --broker {service.url}

Accounts (each proves itself by {proof}; exercise, drill and test are trees apart)
  service-TREE   publishes alerts, current state, help, keys, heartbeat and status of its tree;
                 hears receipts. credentials/service-TREE.env
  TREE-CELL      all devices of an area: hear the alerts and help of that area, national alerts
                 and help, current events, keys, heartbeat, status; publish receipts under their
                 own client identifier. credentials/devices-TREE.json, {n_cells} areas
  leaf-N         a leaf at a hub: hears everything the services publish, brings receipts
  Whatever else anybody asks for is refused: SUBACK and PUBACK 0x87.

To guard
  credentials/deployment.secret   all passwords follow from it (HMAC-SHA256 of the account's name)
  ca/ca.key                       whoever has it can be any broker{" or account" * certificates}
  Neither is needed by a running broker: keep both off those machines.
  Certificates end after {days} days. eew deploy mosquitto ... --force writes all files anew and
  keeps the secret and the authority (which ends after 20 years), so that devices keep theirs.
"""
