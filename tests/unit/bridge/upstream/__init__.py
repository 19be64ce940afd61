"""Upstream's client 0.13.0 at our doors."""
