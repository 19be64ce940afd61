"""``make support-bundle``: what somebody needs who is to help, without a secret in it."""

from __future__ import annotations

import io
import os
import re
import tarfile
import time
from collections.abc import Mapping

from appliance.doctor import look
from appliance.paths import COMPOSE_FILE, DOTENV, shown
from appliance.settings import Settings
from appliance.shell import Shell
from appliance.steps import Steps

LOG_LINES = "2000"
HIDDEN = "‹hidden›"

SECRET_SHAPES = (
    re.compile(r"(?i)(bearer\s+)[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?i)((?:token|app[-_]?key|secret|password)[\"']?\s*[=:]\s*[\"']?)[A-Za-z0-9._~+/-]{8,}"),
    re.compile(r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL),
)


def write_bundle(steps: Steps, settings: Settings) -> None:
    """Write run/support-DATE.tar.gz."""
    shell = Shell(settings.compose_environment())
    secrets = known_secrets(settings, shell)
    path = settings.run / time.strftime("support-%Y%m%d-%H%M%S.tar.gz")
    with steps.step("Collecting"):
        parts = {name: redacted(text, secrets) for name, text in _parts(settings, shell).items()}
        private = os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")
        with private, tarfile.open(fileobj=private, mode="w:gz") as archive:
            for name, text in parts.items():
                _add(archive, f"support/{name}", text)
    steps.say(
        f"\n{shown(path)} holds {len(parts)} files; secrets are replaced by {HIDDEN}.\nLook into it before you send it."
    )


def redacted(text: str, secrets: tuple[str, ...]) -> str:
    """Without the secrets that are known, and without what looks like one."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    for shape in SECRET_SHAPES:
        text = shape.sub(rf"\g<1>{HIDDEN}", text)
    return text


def known_secrets(settings: Settings, shell: Shell) -> tuple[str, ...]:
    """The values of this installation's secrets, as far as they can be read."""
    found = [settings.token_file.read_text(encoding="utf-8")] if settings.token_file.exists() else []
    inside = (("yagna", "/run/yagna/app-key"), ("bridge", "/run/bridge/token"), ("bridge", "/run/bridge/metrics-token"))
    found += [shell.inside(service, "cat", path).output for service, path in inside]
    return tuple(sorted({text.strip() for text in found if text.strip()}, key=len, reverse=True))


def _parts(settings: Settings, shell: Shell) -> Mapping[str, str]:
    services = shell.compose("config", "--services").output.split()
    logs = {
        f"logs/{name}.log": shell.compose("logs", "--no-color", "--timestamps", "--tail", LOG_LINES, name).output
        for name in services
    }
    steps = {f"steps/{path.name}": path.read_text(errors="replace") for path in sorted(settings.logs.glob("*.log"))}
    return {
        "doctor.txt": "\n".join(finding.line() for finding in look(settings, shell)),
        "containers.txt": shell.compose("ps", "--all").output,
        "versions.txt": shell.ask("docker", "version").output + shell.ask("git", "log", "-1", "--oneline").output,
        "env.txt": DOTENV.read_text(encoding="utf-8"),
        "compose.yml": COMPOSE_FILE.read_text(encoding="utf-8"),
        "disk.txt": shell.ask("df", "-h").output + shell.ask("docker", "system", "df").output,
        **logs,
        **steps,
    }


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(data), int(time.time()), 0o600
    archive.addfile(entry, io.BytesIO(data))
