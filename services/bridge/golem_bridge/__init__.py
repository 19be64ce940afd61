"""The bridge of Ray on Golem: rents nodes, keeps the books, serves the plug-in."""

__version__ = "0.1.0"
