"""A Golem network on one machine: chain, hub, providers and their sandboxes."""

__version__ = "0.1.0"
