"""A busy machine is no failure: hypothesis counts no seconds."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
