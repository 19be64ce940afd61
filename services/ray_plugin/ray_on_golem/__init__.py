"""Ray on Golem: what is installed next to Ray, on the user's host and on every node."""

__version__ = "0.1.0"
