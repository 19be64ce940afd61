"""``make image``: a Docker image of this machine into the catalogue of every devnet here, for nodes to be made of."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from appliance.devnet import project_of
from appliance.paths import ROOT
from appliance.settings import Settings
from appliance.steps import StepError, Steps

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
    for project in _running(steps, (settings.project, project_of(settings))):
        with steps.step(f"Image {image} for the devnet of {project}"):
            copied = into_devnet(steps, image, tag, project)
        steps.say(f"   {'copied' if copied else 'it is there already'}; in a cluster file: image_tag: {tag}")


def into_devnet(steps: Steps, image: str, tag: str, project: str) -> bool:
    """Copy it, unless the same one is there under that tag: False. ``project``: compose's. Raises StepError."""
    source = steps.ask(["docker", "image", "inspect", "--format", "{{.Id}}", image]).strip()
    if not source:
        raise StepError(f"Docker has no image {image} — see: docker images")
    known = json.loads(_asked(project, "list"))
    if any(entry["tag"] == tag and entry["source"] == source for entry in known):
        return False
    container = steps.ask(["docker", "create", image, "true"]).strip()
    try:
        _copy(container, tag, source, project)
    finally:
        steps.ask(["docker", "rm", container])
    return True


def _running(steps: Steps, projects: Sequence[str]) -> list[str]:
    """Those of the compose projects whose devnet runs. Raises StepError if there is none."""
    found = [project for project in projects if _has_devnet(steps, project)]
    if not found:
        places = " nor of ".join(projects)
        raise StepError(f"no devnet runs — neither of project {places} — start one: make up, or make devnet")
    return found


def _has_devnet(steps: Steps, project: str) -> bool:
    labels = (f"com.docker.compose.project={project}", "com.docker.compose.service=devnet")
    filters = [word for label in labels for word in ("--filter", f"label={label}")]
    return bool(steps.ask(["docker", "ps", "--quiet", *filters]).strip())


def _catalogue(project: str, *arguments: str) -> list[str]:
    inside = ["/opt/devnet/bin/python", "-m", "golem_devnet", "images", *arguments]
    return ["docker", "compose", "-p", project, "exec", "-T", "devnet", *inside]


def _copy(container: str, tag: str, source: str, project: str) -> None:
    with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
        try:
            done = subprocess.run(
                _catalogue(project, "add", tag, source),
                cwd=ROOT,
                stdin=export.stdout,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        finally:
            export.kill()  # where the other end has gone, it would wait for ever
    if done.returncode != 0:
        raise StepError(f"the image was not copied — {done.stderr.strip()[-300:]} — {_see_logs(project)}")


def _asked(project: str, *arguments: str) -> str:
    done = subprocess.run(
        _catalogue(project, *arguments),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise StepError(f"the devnet does not answer — {done.stderr.strip()[-300:]} — {_see_logs(project)}")
    return done.stdout


def _see_logs(project: str) -> str:
    return f"see: docker compose -p {project} logs devnet"
