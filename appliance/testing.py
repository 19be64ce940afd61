"""``make test``: the tests, on an appliance of its own, beside the user's."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from appliance.paths import ROOT, TEST_VENV, VENV
from appliance.settings import Settings, defaults
from appliance.setup import bring_up, start_engine
from appliance.steps import StepError, Steps

PLACES: Mapping[str, str] = {
    "COMPOSE_PROJECT_NAME": "ray-on-golem-test",
    "RUN_DIR": "./run/test",
    "BRIDGE_PORT": "14578",
    "PROMETHEUS_PORT": "19090",
    "GRAFANA_PORT": "13000",
}
"""Where the tests' appliance is; a user's appliance, its wallet and its clusters are left alone."""

SUITES = (
    "tests/unit",
    "tests/dashboards",
    "tests/e2e/test_bad_input.py",
    "tests/e2e/test_examples.py",
    "tests/e2e/test_first_light.py",
    "tests/e2e/test_cluster_files.py",
    "tests/e2e/test_stop.py",
    "tests/e2e/test_ray_commands.py",
    "tests/e2e/test_two_ups.py",
    "tests/e2e/test_head_door.py",
    "tests/e2e/test_relay.py",
    "tests/e2e/test_autoscaler_v1.py",
    "tests/e2e/test_upstream_client.py",
    "tests/e2e/test_upstream_head.py",
    "tests/e2e/test_series.py",
    "tests/e2e/test_secrets.py",
    "tests/e2e/test_resilience.py",
    "tests/e2e/test_lost_vpn.py",
    "tests/e2e/test_power_cut.py",
    "tests/e2e/test_another_devnet.py",
    "tests/contract",
    "tests/e2e/test_setup.py",
    "tests/integration",
    "tests/e2e/test_unruly_providers.py",
)
"""What ``make test`` runs. In this order: dashboards, in tests/integration, are looked at after clusters came and went,
and what the last one's providers bill unfairly keeps its clusters closing for a quarter of an hour."""

PYTEST_TIMEOUT = 5000.0
"""Seconds: about twice what all of them take on 2 cores."""


def own_appliance() -> dict[str, str]:
    """Environment of the tests' appliance, which obeys nothing of .env but the names of images."""
    return {**defaults(), "GOLEM_NETWORK": "devnet", "COMPOSE_PROFILES": "devnet,grafana", **PLACES}


def run_tests(steps: Steps, settings: Settings) -> None:
    """``make test``, or the paths named on the command line, as root.

    Raises StepError if a test fails.
    """
    if os.geteuid() != 0:
        raise StepError(
            f"The tests kill processes inside containers from outside, user {os.geteuid()} may not — "
            "nothing was changed — run: sudo make test"
        )
    with steps.step("A browser, for the tests of the console"):
        steps.run([ROOT / "appliance" / "browser.sh"], log="browser")
    _run(steps, settings, sys.argv[2:] or SUITES)


def _run(steps: Steps, settings: Settings, suites: Sequence[str]) -> None:
    """On a new appliance, which is removed afterwards; with KEEP=1 on the one that is there, which stays."""
    keep = os.environ.get("KEEP") == "1"
    if not keep:
        start_engine(steps)  # what an interrupted run left would start with it, rented nodes included
        with steps.step("What an earlier run left is removed"):
            _remove(steps, settings)
    bring_up(steps, settings)
    with steps.step("What the tests need (.venv-test)"):
        steps.run([ROOT / "appliance" / "test-tools.sh"], log="test-tools", show=lambda _: None)
    path = os.pathsep.join([str(TEST_VENV / "bin"), str(VENV / "bin"), os.environ.get("PATH", "")])
    env = {**settings.compose_environment(), "PATH": path, "PYTHONUNBUFFERED": "1", "RAY_ON_GOLEM_APPLIANCE": "up"}
    command: list[str | Path] = [TEST_VENV / "bin" / "python", "-m", "pytest", "--durations=10", *suites]
    try:
        with steps.step("pytest"):
            output = steps.run(command, log="pytest", env=env, timeout=PYTEST_TIMEOUT)
    finally:
        if not keep:
            with steps.step("The tests' appliance is removed"):
                _remove_if_possible(steps, settings)
    steps.say("\n== Times\n" + steps.table())
    steps.say(f"\n== {counts(output)}")


def counts(output: str) -> str:
    """pytest's closing line: how many tests passed, and in what time."""
    return output.rstrip().rpartition("\n")[2].strip(" =")


def _remove(steps: Steps, settings: Settings) -> None:
    """Raises StepError."""
    steps.run(
        ["docker", "compose", "--profile", "*", "down", "--volumes", "--remove-orphans"],
        log="down",
        env=settings.compose_environment(),
        show=lambda _: None,
    )


def _remove_if_possible(steps: Steps, settings: Settings) -> None:
    """How the tests ended matters more; the next run removes it first."""
    try:
        _remove(steps, settings)
    except StepError as error:
        steps.say(f"   {error}")
