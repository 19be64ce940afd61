"""Every environment variable of the chain container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from golem_devnet.chain.amounts import parse_amount

# The chain poses as the Hoodi test network: yagna's network names and chain ids are fixed, and it verifies
# a payment only if the id belongs to the name.
CHAIN_ID = 560048
PORT = 8545


@dataclass(frozen=True)
class Settings:
    """Where the chain lives and what a new wallet gets; amounts in wei."""

    state_file: Path
    published_rpc: str
    config_dir: Path
    wallet_file: Path
    wallet_glm: int
    wallet_gas: int
    anvil: str


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from the environment; raises SettingsError naming the variable.

    CHAIN_DATADIR (/var/lib/chain): the chain's state.
    CHAIN_RPC (http://chain:8545): the address that yagna daemons are told to use.
    CHAIN_CONFIG_DIR (/run/chain): where config-payments.toml and chain.json are written.
    WALLET_FILE (/run/wallet/address): the file that names the wallet to fund.
    DEVNET_WALLET_GLM (1000), DEVNET_WALLET_GAS (1): start money of a new wallet, in GLM and tETH.
    ANVIL (anvil): the program.
    """
    return Settings(
        state_file=Path(environment.get("CHAIN_DATADIR", "/var/lib/chain")) / "state.json",
        published_rpc=environment.get("CHAIN_RPC", f"http://chain:{PORT}"),
        config_dir=Path(environment.get("CHAIN_CONFIG_DIR", "/run/chain")),
        wallet_file=Path(environment.get("WALLET_FILE", "/run/wallet/address")),
        wallet_glm=parse_amount("DEVNET_WALLET_GLM", environment.get("DEVNET_WALLET_GLM", "1000")),
        wallet_gas=parse_amount("DEVNET_WALLET_GAS", environment.get("DEVNET_WALLET_GAS", "1")),
        anvil=environment.get("ANVIL", "anvil"),
    )
