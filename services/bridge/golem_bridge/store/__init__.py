"""What survives a restart: one SQLite file, written before anything is done."""
