"""What makes the chain container healthy."""

from __future__ import annotations

from pathlib import Path

from golem_devnet.chain.config import PAYMENTS_FILE, read_facts
from golem_devnet.chain.errors import ConfigMissingError, RpcRefusedError
from golem_devnet.chain.rpc import Rpc, number_result
from golem_devnet.chain.token import Token


def check(rpc: Rpc, config_dir: Path) -> None:
    """Raises ChainError unless the RPC answers, the contract is deployed and both files are written."""
    facts = read_facts(config_dir)
    if not (config_dir / PAYMENTS_FILE).exists():
        raise ConfigMissingError(f"{config_dir / PAYMENTS_FILE} is not written yet")
    found = number_result(rpc.call("eth_chainId"), "eth_chainId")
    if found != facts.chain_id:
        raise RpcRefusedError(f"the chain has id {found}, chain.json says {facts.chain_id}")
    if not Token(rpc, facts.glm).is_deployed():
        raise RpcRefusedError(f"there is no contract at {facts.glm}")
