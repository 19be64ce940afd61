"""Stand-ins for the world outside, for unit tests only."""
