"""What is looked at before anything is changed."""

from __future__ import annotations

import shutil
import socket
import stat
import subprocess
from pathlib import Path

from appliance.paths import ROOT
from appliance.settings import Settings, read_values
from appliance.steps import StepError

TIMEOUT = 20
"""Seconds for one question to Docker."""

GIB = 1 << 30

DISK_FIRST = 6
"""GiB for a first start: images, the cache of their build, Ray on the host, volumes."""

DISK_AGAIN = 2
"""GiB once the images are built: what changes, and what is measured."""


MOUNTED = ("docker/prometheus", "grafana/provisioning", "grafana/dashboards")
"""Folders of which docker-compose.yml mounts files."""


def check_disk(settings: Settings) -> str:
    """What is free where the repository and the engine keep their files. Raises StepError if it is too little."""
    needed = DISK_AGAIN if _is_built(settings) else DISK_FIRST
    places = {path: shutil.disk_usage(path).free / GIB for path in _places()}
    fullest = min(places, key=lambda path: places[path])
    if places[fullest] < needed:
        raise StepError(
            f"{places[fullest]:.1f} GiB are free in {fullest}, {needed} are needed — nothing was changed — "
            "make room there, e.g. docker system prune"
        )
    return f"{places[fullest]:.0f} GiB free"


def _places() -> list[Path]:
    """The engine's folder counts where it is on this machine; before an engine is installed, its usual parent does."""
    told = Path(_docker("info", "--format", "{{.DockerRootDir}}") or "/var/lib/docker")
    return [ROOT, next((path for path in (told, *told.parents) if path.is_dir()), Path("/"))]


def _is_built(settings: Settings) -> bool:
    tag = read_values().get("IMAGE_TAG", "local")
    names = ("bridge", "yagna", *(("devnet",) if settings.network == "devnet" else ()))
    return all(_docker("image", "inspect", "--format", "{{.Id}}", f"ray-on-golem/{name}:{tag}") for name in names)


def check_mounts(root: Path = ROOT) -> None:
    """Containers run as users of their own: they can read what is mounted. Raises StepError."""
    for place in MOUNTED:
        for path in (root / place, *sorted((root / place).rglob("*"))):
            wanted = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
            mode = path.stat().st_mode
            if mode & wanted != wanted:
                raise StepError(
                    f"{path.relative_to(root)} has mode {stat.filemode(mode)}, the containers it is mounted into could "
                    "not read it — nothing was changed — run: chmod -R go+rX docker grafana"
                )


def check_ports(settings: Settings) -> None:
    """Every port to publish is free, or held by this very appliance. Raises StepError."""
    for key, port in settings.ports.by_key().items():
        check_port(settings.project, key, port)


def check_port(project: str, key: str, port: int, *, place: str = ".env") -> None:
    """A port is free, or held by this compose project. Raises StepError."""
    if _is_taken(port) and not _is_ours(project, port):
        raise StepError(
            f"Port {port} on 127.0.0.1 is taken by another program — nothing was changed — "
            f"end that program, or choose another port: {key}={port + 1} in {place}"
        )


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def _is_ours(project: str, port: int) -> bool:
    label = f"label=com.docker.compose.project={project}"
    return bool(_docker("ps", "--quiet", "--filter", label, "--filter", f"publish={port}"))


def _docker(*arguments: str) -> str:
    """What Docker says; nothing without Docker: then there is no container, image or folder of its."""
    try:
        found = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, errors="replace", timeout=TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""
