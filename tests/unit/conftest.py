"""What unit tests are kept from: hypothesis's stop-watch, on a busy machine, and the settings of an appliance."""

import pytest
from hypothesis import HealthCheck, settings

from appliance.settings import known_keys

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def no_appliance(monkeypatch: pytest.MonkeyPatch) -> None:
    """``make test`` sets the variables of its own appliance; here each setting has its default."""
    for key in known_keys():
        monkeypatch.delenv(key, raising=False)
