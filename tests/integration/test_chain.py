"""The running appliance's chain: the wallet was paid its start money once, and every wei can be traced.

Needs ``docker compose up -d --wait`` with GOLEM_NETWORK=devnet; run from the repository's root.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = "0x" + "0" * 40


def inside(service: str, *command: str) -> str:
    done = subprocess.run(
        ["docker", "compose", "exec", "-T", service, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def chain(*arguments: str) -> str:
    return inside("chain", "python3", "-m", "golem_devnet.chain", *arguments)


@pytest.fixture(scope="module")
def wallet() -> str:
    return inside("yagna", "cat", "/run/wallet/address").strip()


def test_the_wallet_got_its_start_money_exactly_once(wallet: str) -> None:
    assert len(json.loads(chain("transfers", "--from", NOBODY, "--to", wallet))) == 1


def test_the_wallets_balance_is_the_sum_of_its_transfers(wallet: str) -> None:
    received = json.loads(chain("transfers", "--to", wallet))
    paid = json.loads(chain("transfers", "--from", wallet))
    balance = json.loads(chain("balance", wallet, "--json"))
    expected = sum(entry["value"] for entry in received) - sum(entry["value"] for entry in paid)
    assert balance["glm_wei"] == expected


def test_yagna_sees_the_same_wallet_on_the_local_chain(wallet: str) -> None:
    status = json.loads(inside("yagna", "yagna", "payment", "status", "--network", "hoodi", "--json"))
    balance = chain("balance", wallet)
    assert f"{status['amount']} GLM" in balance


def test_no_other_endpoint_is_configured() -> None:
    report = json.loads(inside("yagna", "yagna", "payment", "driver", "rpc", "--network", "hoodi", "--json"))
    found = [entry["params"]["endpoint"] for entries in report["endpoints"].values() for entry in entries]
    assert found == ["http://chain:8545"]
