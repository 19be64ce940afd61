"""The settings of somebody who has just cloned the repository, whatever its user has made of them since."""

from __future__ import annotations

import shutil
import subprocess

from appliance.paths import DOTENV, ROOT


def committed() -> str:
    """The text of ``.env`` as it was committed; as it is where there is no git to ask."""
    git = shutil.which("git")
    if git is None:
        return DOTENV.read_text(encoding="utf-8")
    shown = subprocess.run([git, "show", "HEAD:.env"], cwd=ROOT, capture_output=True, text=True, check=False)
    return shown.stdout if shown.returncode == 0 else DOTENV.read_text(encoding="utf-8")
