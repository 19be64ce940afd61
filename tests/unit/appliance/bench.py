"""An appliance that is none: what Docker and the bridge answer is written down by the test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from appliance.bridge import LiveNode
from appliance.settings import Ports, Settings
from appliance.steps import StepError, Steps

NODE = LiveNode("mine", "mine-1-head-0001", "running", "alder", "0.0108")

Docker = Callable[[str], None]
"""Makes ``docker`` a shell script."""


def on(network: str, run: Path = Path("run")) -> Settings:
    """Settings of an appliance that nobody started."""
    return Settings("ray-on-golem-unit", network, Ports(1, 2, 3), run)


class Recorder(Steps):
    """Notes the commands instead of running them; one that holds a word of ``failing`` fails."""

    def __init__(self, logs: Path = Path("logs"), *failing: str) -> None:
        super().__init__(logs)
        self.commands: list[str] = []
        self.failing = failing

    def run(self, command: Sequence[str | Path], **_options: object) -> str:
        said = " ".join(map(str, command))
        self.commands.append(said)
        if any(word in said for word in self.failing):
            raise StepError(f"`{command[0]}` failed")
        return ""

    def ran(self, *words: str) -> list[str]:
        """Of ``words``, those that were in a command, in the order of the commands."""
        return [word for said in self.commands for word in words if word in said]
