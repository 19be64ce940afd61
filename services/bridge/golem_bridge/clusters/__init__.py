"""Clusters and their nodes: life cycle, bootstrap over the exe-unit, tunnels, cleaning up."""
