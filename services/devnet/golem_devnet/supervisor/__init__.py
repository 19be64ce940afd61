"""Starts the parts of the devnet's container in order, restarts what dies, and ends all of it."""
