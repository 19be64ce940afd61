"""Ray's fixed naps, shortened: they are read from module globals each time (Ray 2.9 to 2.60)."""

from __future__ import annotations

import importlib
import logging

PACE = {
    ("ray.autoscaler._private.commands", "POLL_INTERVAL"): 0.3,
    ("ray.autoscaler._private.updater", "READY_CHECK_INTERVAL"): 0.5,
}
"""(module, global) to seconds."""

LEGACY_NOTICE = "Dropping the empty legacy field"


class _LegacyNotice(logging.Filter):
    """Ray itself adds, and then complains of, empty legacy fields for every external provider."""

    def filter(self, record: logging.LogRecord) -> bool:
        return LEGACY_NOTICE not in record.getMessage()


def quicken_ray() -> None:
    """Set the globals that exist; an unknown Ray keeps its own pace."""
    for (module_name, name), seconds in PACE.items():
        module = importlib.import_module(module_name)
        if hasattr(module, name):
            setattr(module, name, seconds)


logging.getLogger("ray.autoscaler._private.util").addFilter(_LegacyNotice())
