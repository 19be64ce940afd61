"""Ray on Golem 0.13.0 from PyPI with Ray 2.9.3, beside our own: its client on the host, its plug-in in nodes."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from appliance.images import into_devnet
from appliance.paths import ROOT
from appliance.settings import Settings, read_values
from appliance.steps import StepError, Steps

NODE = ROOT / "docker" / "ray-node" / "upstream"
REQUIREMENTS = NODE / "requirements.txt"
VENV = ROOT / ".venv-upstream"
IMAGE_TAG = "golem/ray-on-golem:0.13.0-py3.11-ray2.9.3"
"""Under which the devnet's catalogue has a node that is built like upstream's published ones."""

INTERPRETER = "python3.11"
"""Ray 2.9.3 has no wheels for later ones."""


def interpreter() -> str:
    """A Python that Ray 2.9.3 runs on. Raises StepError if there is none."""
    found = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which(INTERPRETER)
    if found is None:
        raise StepError(f"Ray 2.9.3 needs {INTERPRETER}, which is not on PATH — install it and run: make test")
    return found


def install_client(steps: Steps) -> Path:
    """The folder of upstream's commands, in a virtual environment of their own in this clone; kept if unchanged."""
    stamp, wanted = VENV / ".wanted", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        steps.run([interpreter(), "-m", "venv", "--clear", VENV], log="upstream-client")
        options = ("--quiet", "--disable-pip-version-check", "--require-hashes", "-r")
        pip: list[str | Path] = [VENV / "bin" / "pip", "install", *options, REQUIREMENTS]
        steps.run(pip, log="upstream-client", show=lambda _: None)
        stamp.write_text(wanted, encoding="utf-8")
    return VENV / "bin"


def provide_image(steps: Steps, settings: Settings) -> str:
    """The tag of a node with Ray 2.9.3 and upstream's plug-in, built and put into the devnet if it is not there."""
    values = read_values()
    image = f"ray-on-golem/ray-node-upstream:{values['IMAGE_TAG']}"
    python = f"PYTHON_IMAGE={values['PYTHON_IMAGE']}"
    build: list[str | Path] = [
        "docker",
        "build",
        "--build-arg",
        python,
        "--file",
        NODE / "Dockerfile",
        "--tag",
        image,
        ROOT,
    ]
    steps.run(build, log="upstream-image", show=lambda _: None)
    into_devnet(steps, image, IMAGE_TAG, settings.project)
    return IMAGE_TAG


def clean_environment() -> dict[str, str]:
    """Nothing of this appliance shines through: its client knows neither our token nor our plug-in."""
    hidden = ("RAY_", "VIRTUAL_ENV", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
