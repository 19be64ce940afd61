"""A ``docker`` that looks and changes nothing, for commands of the appliance's that must stop before any change.

Should one of them not stop, it gets no further than this: no test starts an appliance on a public network.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from appliance.paths import ROOT
from appliance.settings import Settings
from tests.e2e.cluster import Outcome, run_command

SCRIPT = """#!/bin/sh
case "$1 $2" in
    "ps "* | "inspect "* | "info "* | "version "* | "image inspect" | "compose version") exec {docker} "$@" ;;
esac
echo "$*" >>{kept}
echo "only looking, so not done: docker $*" >&2
exit 1
"""


class Onlooker:
    """Runs commands of a running appliance, with a run folder of their own, which knows the bridge's token."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        docker = shutil.which("docker")
        assert docker is not None
        self._kept = folder / "kept"
        self._run = folder / "run"
        self._run.mkdir()
        shutil.copy2(settings.token_file, self._run)
        self._programs = folder / "bin"
        self._programs.mkdir()
        program = self._programs / "docker"
        program.write_text(SCRIPT.format(docker=shlex.quote(docker), kept=shlex.quote(str(self._kept))))
        program.chmod(0o755)

    @property
    def kept_from(self) -> Sequence[str]:
        """What else was asked of docker, and not done."""
        return self._kept.read_text().splitlines() if self._kept.exists() else []

    def appliance(self, command: str, *, network: str = "devnet") -> Outcome:
        """``make COMMAND`` with that network in ``.env``."""
        path = f"{self._programs}{os.pathsep}{os.environ['PATH']}"
        changed = {"PATH": path, "GOLEM_NETWORK": network, "RUN_DIR": str(self._run)}
        kept = {key: value for key, value in os.environ.items() if key not in {"COMPOSE_PROFILES", "FORCE"}}
        return run_command(sys.executable, "-m", "appliance", command, env={**kept, **changed}, cwd=ROOT)
