"""``make image``: a Docker image of this machine into the devnet's catalogue, for nodes to be made of."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

from appliance.paths import ROOT
from appliance.settings import Settings
from appliance.steps import StepError, Steps

CATALOGUE = ("docker", "compose", "exec", "-T", "devnet", "/opt/devnet/bin/python", "-m", "golem_devnet", "images")
TIMEOUT = 600.0
"""Seconds for copying one image."""


def put_image(steps: Steps, settings: Settings) -> None:
    """``make image IMAGE=docker-image [TAG=tag]``. Raises StepError."""
    match [text for text in sys.argv[2:] if text]:
        case [image]:
            tag = image
        case [image, tag]:
            pass
        case _:
            raise StepError("no image is named — say: make image IMAGE=docker-image [TAG=tag-for-cluster-files]")
    with steps.step(f"Image {image} for the devnet"):
        copied = into_devnet(steps, image, tag, settings.compose_environment())
    steps.say(f"   {'copied' if copied else 'it is there already'}; in a cluster file: image_tag: {tag}")


def into_devnet(steps: Steps, image: str, tag: str, environment: Mapping[str, str]) -> bool:
    """Copy it, unless the same one is there under that tag: False. Raises StepError."""
    source = steps.ask(["docker", "image", "inspect", "--format", "{{.Id}}", image]).strip()
    if not source:
        raise StepError(f"Docker has no image {image} — see: docker images")
    known = json.loads(_asked(environment, "list"))
    if any(entry["tag"] == tag and entry["source"] == source for entry in known):
        return False
    container = steps.ask(["docker", "create", image, "true"]).strip()
    try:
        _copy(container, tag, source, environment)
    finally:
        steps.ask(["docker", "rm", container])
    return True


def _copy(container: str, tag: str, source: str, environment: Mapping[str, str]) -> None:
    with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
        try:
            done = subprocess.run(
                [*CATALOGUE, "add", tag, source],
                cwd=ROOT,
                env=dict(environment),
                stdin=export.stdout,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        finally:
            export.kill()  # where the other end has gone, it would wait for ever
    if done.returncode != 0:
        raise StepError(f"the image was not copied — {done.stderr.strip()[-300:]} — see: docker compose logs devnet")


def _asked(environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [*CATALOGUE, *arguments],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise StepError(f"the devnet does not answer — {done.stderr.strip()[-300:]} — start it: make up")
    return done.stdout
