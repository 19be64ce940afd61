"""Thin routers and the doors they stand behind; no logic."""
