"""A devnet of the bench's own."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp

from appliance.devnet import app_key, compose, environment_of, published_port
from appliance.paths import ROOT
from appliance.settings import read_settings
from tests.integration.requestor import Requestor

PROVIDERS = ("alder", "birch", "cedar", "dogwood", "elm", "gilded")


class Devnet:
    """The bench's own network."""

    def __init__(self) -> None:
        settings = read_settings()
        self.environment = environment_of(replace(settings, project=f"{settings.project}-bench"))
        self.url = f"http://127.0.0.1:{published_port()}"

    def compose(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            compose(*arguments), cwd=ROOT, env=dict(self.environment), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def remove(self) -> None:
        self.compose("down", "--volumes", "--remove-orphans")

    @asynccontextmanager
    async def requestor(self) -> AsyncIterator[Requestor]:
        key = await asyncio.to_thread(app_key, self.environment)
        async with aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key}"}, timeout=aiohttp.ClientTimeout(90)
        ) as session:
            yield Requestor(session, self.url, key)

    def address(self) -> str:
        """Of the container with the nodes, from here."""
        container = self.compose("ps", "--quiet", "devnet").strip()
        command = ["docker", "inspect", "-f", "{{json .NetworkSettings.Networks}}", container]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        (network,) = found.values()
        return str(network["IPAddress"])

    def memory(self) -> float:
        """MiB of all containers, as ``docker stats`` says."""
        containers = self.compose("ps", "--quiet").split()
        command = ["docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", *containers]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
        return sum(mebibytes(line.partition("/")[0].strip()) for line in lines if line.strip())


def mebibytes(text: str) -> float:
    """From docker's ``12.3MiB``."""
    found = re.fullmatch(r"([0-9.]+)([KMG])iB", text)
    assert found is not None, text
    return float(found[1]) * {"K": 1 / 1024, "M": 1, "G": 1024}[found[2]]
