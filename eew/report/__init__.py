"""What a finished run leaves: files, tables, plots."""
