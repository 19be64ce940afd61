"""The two files by which the other containers learn of the chain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from golem_devnet.advice import compose
from golem_devnet.chain.amounts import parse_address
from golem_devnet.chain.errors import ConfigMissingError
from golem_devnet.chain.files import write_atomically

PAYMENTS_FILE = "config-payments.toml"
CHAIN_FILE = "chain.json"

# Replaces yagna's built-in payment configuration entirely: only the chain named here exists, nothing is looked
# up in the DNS. Blocks appear only with transactions, so the head may be old (-1) and one block is final (0).
# No multi-contract: several providers behind one daemon could then not tell their payments apart.
_PAYMENTS = """\
# Written by the chain container: yagna's one and only payment chain on the devnet.
[engine]
process-interval = 1
process-interval-after-send = 1
process-interval-after-error = 3
process-interval-after-no-gas-or-token-start = 2
process-interval-after-no-gas-or-token-max = 10
process-interval-after-no-gas-or-token-increase = 1.5
report-alive-interval = 10
gather-interval = 2
gather-at-start = true
automatic-recover = false
ignore-deadlines = false

[chain.hoodi]
chain-name = "Local chain of the devnet"
chain-id = {chain_id}
currency-symbol = "tETH"
priority-fee = 1.0
max-fee-per-gas = 20.0
transaction-timeout = 100
token = {{ address = "{glm}", symbol = "tGLM" }}
confirmation-blocks = 0
block-explorer-url = "http://127.0.0.1"

[[chain.hoodi.rpc-endpoints]]
names = "local"
endpoints = "{rpc}"
skip-validation = false
verify-interval-secs = 30
max-timeout-ms = 3000
allowed-head-behind-secs = -1
"""


@dataclass(frozen=True)
class ChainFacts:
    """What a client must know: JSON-RPC address, chain id, the GLM contract."""

    rpc: str
    chain_id: int
    glm: str


def payments_config(facts: ChainFacts) -> str:
    """The text of yagna's config-payments.toml."""
    return _PAYMENTS.format(chain_id=facts.chain_id, glm=facts.glm, rpc=facts.rpc)


def publish(folder: Path, facts: ChainFacts) -> None:
    """Write both files; config-payments.toml last, since the other containers wait for that one."""
    document = {"rpc": facts.rpc, "chain_id": facts.chain_id, "glm": facts.glm}
    write_atomically(folder / CHAIN_FILE, json.dumps(document, indent=1) + "\n")
    write_atomically(folder / PAYMENTS_FILE, payments_config(facts))


def read_facts(folder: Path) -> ChainFacts:
    """chain.json read back; raises ConfigMissingError."""
    path = folder / CHAIN_FILE
    try:
        document = json.loads(path.read_text("utf-8"))
        return ChainFacts(
            rpc=str(document["rpc"]), chain_id=int(document["chain_id"]), glm=parse_address(document["glm"])
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigMissingError(
            f"the chain has not been ready yet — {path}: {error} — see {compose('logs chain')}"
        ) from error
