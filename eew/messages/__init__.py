"""Wire format, topics and documents (QuakeML) made from domain values; no I/O."""
