"""From a bare machine to a running appliance: engine, images, containers, host tools."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from appliance.blame import last_words
from appliance.checks import check_disk, check_mounts, check_ports
from appliance.paths import ENGINE, ROOT
from appliance.settings import Settings
from appliance.shell import Shell
from appliance.steps import Background, StepError, Steps
from appliance.switching import refuse_to_abandon_nodes, remove_devnet

BUILD_STEP = re.compile(r"#\d+ \[(?P<where>[^\]]+)\] (?P<what>\S.*)")
"""A line of ``docker compose build --progress plain`` that begins a step."""

HOST_TOOLS = ROOT / "appliance" / "host-tools.sh"
PROGRESS_WIDTH = 100
UNINTERESTING = ("internal", "auth")


def bring_up(steps: Steps, settings: Settings) -> None:
    """Leaves alone what is there already. Raises StepError."""
    with steps.step("Checks, nothing changed yet"):
        check_ports(settings)
        check_mounts()
        free = check_disk(settings)
        ports = ", ".join(map(str, settings.ports.by_key().values()))
        steps.say(f"   network {settings.network}, ports {ports}, {free}: fine")
    settings.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    start_engine(steps)
    refuse_to_abandon_nodes(settings)  # only now: with the engine a bridge may have come back
    with Background("Host tools", [HOST_TOOLS], steps=steps, log="host-tools") as tools:
        build_and_start(steps, settings)
        with steps.step("Host tools: Ray and the plug-in (.venv)"):
            tools.finish()


def build_and_start(steps: Steps, settings: Settings) -> None:
    """Images and containers, on an engine that runs. Raises StepError."""
    get_base_images(steps, settings)
    environment = settings.compose_environment()
    with steps.step("Images of the appliance"), engine_watched(environment):
        command = ["docker", "compose", "--progress", "plain", "build"]
        steps.run(command, log="build", env=environment, show=build_progress)
    remove_devnet(steps, settings)
    with steps.step("Appliance up"), engine_watched(environment):
        start_containers(steps, ["docker", "compose"], ["--remove-orphans"], environment)


def get_base_images(steps: Steps, settings: Settings) -> None:
    """What the appliance's images are made from; from then on it is known which profiles can be used.

    Raises StepError.
    """
    with steps.step("Base images"):
        wanted = {**settings.compose_environment(), "COMPOSE_PROFILES": ",".join(settings.wanted_profiles)}
        steps.run([ENGINE / "base-images.sh", settings.profiles_file], log="base-images", env=wanted)


def start_engine(steps: Steps) -> None:
    """Install and start it where it is missing. Raises StepError."""
    with steps.step("Docker engine"):
        steps.run([ENGINE / "engine.sh"], log="engine")


@contextmanager
def engine_watched(environment: Mapping[str, str]) -> Iterator[None]:
    """When a step fails because the engine has stopped meanwhile, that is what is said. Raises StepError."""
    try:
        yield
    except StepError as error:
        engine = Shell(environment).ask("docker", "version", "--format", "{{.Server.Version}}")
        if engine.ok:
            raise
        raise StepError(
            f"The Docker engine has stopped — {engine.reason} — nothing is lost, what is done stays done; "
            "start the engine and go on with: make up"
        ) from error


def start_containers(
    steps: Steps, compose: Sequence[str], arguments: Sequence[str], environment: Mapping[str, str]
) -> None:
    """``docker compose up``. Raises StepError, which says what the containers that failed said last."""
    try:
        steps.run([*compose, "up", "--detach", "--wait", *arguments], log="up", env=environment, show=up_progress)
    except StepError as error:
        raise StepError(f"{error}{last_words(compose, environment)}") from error


def build_progress(line: str) -> str | None:
    """One line per step of an image's build."""
    found = BUILD_STEP.match(line)
    if found is None or found["where"].startswith(UNINTERESTING):
        return None
    text = f"{found['where']}  {' '.join(found['what'].split())}"
    return text if len(text) <= PROGRESS_WIDTH else f"{text[:PROGRESS_WIDTH]}…"


def up_progress(line: str) -> str | None:
    """A container that is up, or anything that is no progress report."""
    words = line.split()
    if words[:1] == ["Container"]:
        return line.strip() if words[-1] in {"Healthy", "Error"} else None
    if words[:1] in (["Network"], ["Volume"]):
        return None
    return line.strip() or None
