"""``make devnet``: a Golem network on this machine for any requestor, without the rest of the appliance."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from appliance.checks import check_disk, check_port
from appliance.paths import COMPOSE_FILE, ENGINE, ROOT, shown
from appliance.settings import Settings, defaults
from appliance.setup import build_progress, start_containers, start_engine
from appliance.steps import StepError, Steps

OVERRIDE = ROOT / "docker" / "devnet" / "devnet.override.yml"
SERVICES = ("chain", "devnet", "yagna")
SIZES = frozenset({"DEVNET_PROVIDERS", "DEVNET_WALLET_GLM", "DEVNET_WALLET_GAS"})
"""Settings of every devnet, this one included."""

PORT = "YAGNA_PORT"
"""Environment variable: where yagna's REST API is published on 127.0.0.1, default 7465."""

KEY_FILE = "/run/yagna/app-key"
TIMEOUT = 30
"""Seconds for one question to yagna."""


def start(steps: Steps, settings: Settings) -> None:
    """Builds what is missing, starts, writes ``devnet.env``. Raises StepError."""
    port, environment = published_port(), environment_of(settings)
    with steps.step("Checks, nothing changed yet"):
        check_port(project_of(settings), PORT, port, place="the environment")
        free = check_disk(replace(settings, network="devnet"))
        steps.say(f"   port {port}, {free}: fine")
    settings.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    start_engine(steps)
    with steps.step("Base images"):
        steps.run([ENGINE / "base-images.sh"], log="base-images", env=environment)
    with steps.step("Images of the devnet"):
        steps.run(compose("--progress", "plain", "build", *SERVICES), log="build", env=environment, show=build_progress)
    with steps.step("Devnet up"):
        start_containers(steps, compose(), SERVICES, environment)
    path = env_file(settings)
    write_privately(path, exports(port, app_key(environment)))
    steps.say(
        f"\nA Golem network runs on this machine; its GLM is free.\n"
        f"   requestors   . {shown(path)} && python your_script.py\n"
        f"   REST API     http://127.0.0.1:{port}\n"
        "   stop it      make devnet-down"
    )


def stop(steps: Steps, settings: Settings) -> None:
    """Wallet, chain and identities stay in their volumes. Raises StepError."""
    with steps.step("Stopping the devnet"):
        steps.run(
            compose("down", "--remove-orphans"),
            log="down",
            env=environment_of(settings),
            show=lambda line: line.strip() if "Removed" in line else None,
        )
    env_file(settings).unlink(missing_ok=True)


def env_file(settings: Settings) -> Path:
    """What requestors source."""
    return settings.run / "devnet.env"


def exports(port: int, app_key: str) -> str:
    """Content of the file: the variables that yapapi and golem-core read."""
    values = {
        "YAGNA_API_URL": f"http://127.0.0.1:{port}",
        "YAGNA_APPKEY": app_key,
        "YAGNA_SUBNET": "devnet",
        "YAGNA_PAYMENT_NETWORK": "hoodi",  # the name under which yagna knows the local chain
        "YAGNA_PAYMENT_DRIVER": "erc20",
    }
    return "".join(f"export {name}={value}\n" for name, value in values.items())


def write_privately(path: Path, text: str) -> None:
    """Replace a file that only its owner can read."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def published_port() -> int:
    """Where yagna is published. Raises StepError."""
    text = os.environ.get(PORT, "7465")
    if not text.isdigit() or not 0 < int(text) < 1 << 16:
        raise StepError(f"{PORT} is {text!r} — it must be a port number — correct it in the environment")
    return int(text)


def project_of(settings: Settings) -> str:
    """The stand-alone devnet's, for compose. Beside the appliance, not within it: its yagna stays unpublished."""
    return f"{settings.project}-devnet"


def environment_of(settings: Settings) -> Mapping[str, str]:
    """For :func:`compose`: the appliance's settings are not this devnet's, a key of the user's least of all."""
    return {
        **settings.compose_environment(),
        **{key: value for key, value in defaults().items() if key not in SIZES},
        "RUN_DIR": str(settings.run),
        "COMPOSE_PROJECT_NAME": project_of(settings),
        "COMPOSE_PROFILES": "devnet",
        "GOLEM_NETWORK": "devnet",
    }


def compose(*arguments: str) -> Sequence[str]:
    """``docker compose`` with yagna published."""
    return ["docker", "compose", "--file", str(COMPOSE_FILE), "--file", str(OVERRIDE), *arguments]


def app_key(environment: Mapping[str, str]) -> str:
    """Of the devnet's yagna; never passes a log. Raises StepError."""
    command = compose("exec", "-T", "yagna", "cat", KEY_FILE)
    done = subprocess.run(
        command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    key = done.stdout.strip()
    if done.returncode != 0 or not key:
        raise StepError(
            f"yagna's app-key cannot be read — {done.stderr.strip()[-300:]} — "
            f"see: docker compose -p {environment['COMPOSE_PROJECT_NAME']} logs yagna"
        )
    return key
