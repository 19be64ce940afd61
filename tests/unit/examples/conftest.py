"""Loads Ray first, once, with its own warnings: they are not ours to repair."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import ray.autoscaler._private.util  # noqa: F401
