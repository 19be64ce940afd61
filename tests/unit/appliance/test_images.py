"""Which devnets ``make image`` reaches; a shell script speaks for Docker."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.images import put_image
from appliance.settings import Ports, Settings
from appliance.steps import StepError, Steps

DOCKER = """#!/bin/sh
echo "$@" >> "$0.asked"
case "$*" in
    "ps "*mine-devnet*) cat "$0.stand-alone" ;;
    "ps "*=mine\\ *) cat "$0.appliance" ;;
    "image inspect "*) cat "$0.image" ;;
    *" images list") echo '[{"tag": "old:1", "hash": "", "source": "sha256:1"}]' ;;
    "create "*) echo container ;;
    *" images add "*) cat > /dev/null ;;
esac
"""


class FakeDocker:
    """An image, and the devnets that run."""

    def __init__(self, folder: Path) -> None:
        self._program = folder / "docker"
        self._program.write_text(DOCKER)
        self._program.chmod(0o755)
        self.has(stand_alone="", appliance="", image="sha256:1")

    def has(self, **answers: str) -> None:
        """``stand_alone``, ``appliance``: ids of their devnet's containers; ``image``: its id."""
        for name, answer in answers.items():
            self._program.with_suffix("." + name.replace("_", "-")).write_text(answer)

    def added(self) -> list[str]:
        """What was called to add an image."""
        asked = self._program.with_suffix(".asked").read_text().splitlines()
        return [line for line in asked if " images add " in line]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("sys.argv", ["appliance", "image", "mine:1", ""])
    return FakeDocker(tmp_path)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings("mine", "devnet", Ports(1, 2, 3), tmp_path / "run")


def added_to(project: str, tag: str = "mine:1") -> str:
    return f"compose -p {project} exec -T devnet /opt/devnet/bin/python -m golem_devnet images add {tag} sha256:1"


@pytest.mark.parametrize(
    ("running", "projects"),
    [
        ({"appliance": "c1"}, ["mine"]),
        ({"stand_alone": "c2"}, ["mine-devnet"]),
        ({"appliance": "c1", "stand_alone": "c2"}, ["mine", "mine-devnet"]),
    ],
)
def test_every_devnet_that_runs_gets_it(
    docker: FakeDocker, settings: Settings, running: dict[str, str], projects: list[str]
) -> None:
    docker.has(**running)
    put_image(Steps(settings.logs), settings)
    assert docker.added() == [added_to(project) for project in projects]


def test_without_a_devnet_both_ways_to_one_are_named(docker: FakeDocker, settings: Settings) -> None:
    with pytest.raises(
        StepError, match=r"no devnet runs — .* mine .* mine-devnet — start one: make up, or make devnet"
    ):
        put_image(Steps(settings.logs), settings)


def test_what_is_there_already_is_not_copied_again(
    docker: FakeDocker, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["appliance", "image", "mine:1", "old:1"])
    docker.has(appliance="c1")
    put_image(Steps(settings.logs), settings)
    assert docker.added() == []
    assert "it is there already" in capsys.readouterr().out


def test_an_unknown_image_is_named(docker: FakeDocker, settings: Settings) -> None:
    docker.has(appliance="c1", image="")
    with pytest.raises(StepError, match="Docker has no image mine:1"):
        put_image(Steps(settings.logs), settings)
