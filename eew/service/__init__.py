"""The chain as a service: what it reports over HTTP, and the order in which its parts live."""
