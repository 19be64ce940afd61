"""How tests see a command of Ray's: its end and what it printed, and the nodes it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner
from ray.autoscaler.tags import NODE_KIND_HEAD, NODE_KIND_WORKER

HEAD_TAGS = {"ray-node-type": NODE_KIND_HEAD, "ray-user-node-type": "head"}
WORKER_TAGS = {"ray-node-type": NODE_KIND_WORKER, "ray-user-node-type": "worker"}
RUNNING = {"state": "running", "message": "Running on alder", "ip": "192.168.0.3"}


def ends(work: Callable[[], object]) -> tuple[int, str]:
    """How a command of Ray's ends that does this: exit code and what was printed."""
    result = CliRunner().invoke(click.command()(lambda: work() and None))
    assert result.exception is None or isinstance(result.exception, SystemExit), "a traceback"
    return result.exit_code, result.output


def plain(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed since, without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
