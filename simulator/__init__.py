"""Makes earthquakes, networks and faults, and replays them; knows no service and no client."""
