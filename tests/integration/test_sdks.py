"""Unmodified requestors of Golem's own kits rent, run, reach ssh, end and pay on the devnet."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.devnet import ROOT, SUBNET, glm_wei
from tests.integration.requestor import IMAGE, Requestor

pytestmark = pytest.mark.usefixtures("honest")

CLIENTS = Path(__file__).parent / "clients"
WEI = 10**18


def with_yapapi() -> str:
    """The tests' own environment holds yapapi."""
    return sys.executable


def with_golem_core() -> str:
    """An environment of its own: golem-core and yapapi want different libraries."""
    folder = ROOT / ".venv-clients"
    requirements, mark = CLIENTS / "requirements.txt", folder / ".wanted"
    python = folder / "bin" / "python"
    if not mark.exists() or mark.read_text() != requirements.read_text():
        venv.create(folder, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "--require-hashes", "-r", str(requirements)], check=True, timeout=600)
        mark.write_text(requirements.read_text())
    return str(python)


@pytest.mark.parametrize(
    ("script", "python"), [("yapapi_client.py", with_yapapi), ("golem_core_client.py", with_golem_core)]
)
async def test_a_script_rents_runs_and_pays(requestor: Requestor, script: str, python: Callable[[], str]) -> None:
    interpreter, begin = python(), datetime.now(UTC).isoformat()
    earned = {name: glm_wei(name) for name in await providers(requestor)}
    environment = {
        **os.environ,
        "PATH": f"{CLIENTS}{os.pathsep}{os.environ['PATH']}",
        "YAGNA_API_URL": requestor.url,
        "YAGNA_APPKEY": requestor.key,
        "YAGNA_SUBNET": SUBNET,
        "YAGNA_PAYMENT_NETWORK": "hoodi",
        "YAGNA_PAYMENT_DRIVER": "erc20",
        "IMAGE": IMAGE,
    }
    done = await asyncio.to_thread(run, [interpreter, str(CLIENTS / script)], environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "hello from 192-168-" in done.stdout
    assert "SSH-2.0-OpenSSH" in done.stdout
    assert "CLOSED" in done.stdout
    (provider,) = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("PROVIDER")]

    async def settled() -> Decimal | None:
        invoices = await requestor.call("GET", f"/payment-api/v1/invoices?afterTimestamp={begin.replace('+', '%2B')}")
        own = [invoice for invoice in invoices if invoice["issuerId"] == provider]
        paid = own and all(invoice["status"] == "SETTLED" for invoice in own)
        return sum((Decimal(invoice["amount"]) for invoice in own), Decimal(0)) if paid else None

    amount = await requestor.until(settled, "the script's invoice was not settled")
    assert amount > 0
    assert glm_wei(provider) - earned.get(provider, 0) == int(amount * WEI)


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The script's end and output."""
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)


async def providers(requestor: Requestor) -> set[str]:
    """Whom this wallet has ever dealt with."""
    return {entry["peerId"] for entry in await requestor.call("GET", "/payment-api/v1/payAgreements")}
