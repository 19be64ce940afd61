"""The GLM token of the local chain: deployment, start money, balances, transfers.

The contract's source, its compiler recipe and the committed artifact are in ``contract/``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from golem_devnet.chain.amounts import address_of_word, parse_address, word
from golem_devnet.chain.errors import RpcRefusedError, start_anew
from golem_devnet.chain.rpc import Rpc, number_result, text_result, wait_for_receipt

# keccak256("Transfer(address,address,uint256)"), the same in every ERC-20
TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
# Where the first transaction of anvil's first account puts a contract: a hash of that account and number 0.
GLM_ADDRESS = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
_GAS_LIMIT = hex(3_000_000)
_NO_CODE = "0x"


@dataclass(frozen=True)
class Artifact:
    """What the compiler made: creation code (0x...) and 4-byte selectors by signature, without 0x."""

    bytecode: str
    selectors: Mapping[str, str]


@cache
def artifact() -> Artifact:
    """The committed LocalGLM artifact."""
    text = resources.files("golem_devnet.chain").joinpath("contract/LocalGLM.json").read_text("utf-8")
    document = json.loads(text)
    return Artifact(bytecode=document["bytecode"], selectors=document["selectors"])


@dataclass(frozen=True)
class Transfer:
    """One ERC-20 Transfer log; ``value`` in wei, ``sender`` 0x0...0 for start money."""

    tx: str
    block: int
    sender: str
    receiver: str
    value: int


@dataclass(frozen=True)
class Token:
    """The deployed contract at ``address``."""

    rpc: Rpc
    address: str

    def is_deployed(self) -> bool:
        code = text_result(self.rpc.call("eth_getCode", self.address, "latest"), "eth_getCode")
        return code != _NO_CODE

    def balance(self, holder: str) -> int:
        """GLM of ``holder`` in wei."""
        return self._read("balanceOf(address)", word(holder))

    def granted(self, wallet: str) -> bool:
        """Whether ``wallet`` already had its start money."""
        return self._read("granted(address)", word(wallet)) == 1

    def grant(self, wallet: str, glm: int, gas: int) -> str:
        """Pay ``wallet`` its start money, both in wei; the transaction's hash.

        One transaction does both, and the contract refuses a second one for the same wallet: whatever
        crashes in between, a wallet is paid once. Raises RpcRefusedError then.
        """
        data = "0x" + artifact().selectors["grant(address,uint256)"] + word(wallet) + word(glm)
        sent = {"from": _treasury(self.rpc), "to": self.address, "data": data, "value": hex(gas), "gas": _GAS_LIMIT}
        transaction = text_result(self.rpc.call("eth_sendTransaction", sent), "eth_sendTransaction")
        wait_for_receipt(self.rpc, transaction)
        return transaction

    def transfers(self, sender: str | None = None, receiver: str | None = None) -> list[Transfer]:
        """All transfers from ``sender`` and to ``receiver`` (None: anybody), oldest first."""
        topics = [TRANSFER_TOPIC, *("0x" + word(party) if party else None for party in (sender, receiver))]
        wanted = {"address": self.address, "fromBlock": "0x0", "toBlock": "latest", "topics": topics}
        logs = self.rpc.call("eth_getLogs", wanted)
        if not isinstance(logs, list):
            raise RpcRefusedError(f"eth_getLogs answered {logs!r} where a list was expected")
        return [_transfer(log) for log in logs]

    def _read(self, signature: str, arguments: str) -> int:
        data = "0x" + artifact().selectors[signature] + arguments
        answer = self.rpc.call("eth_call", {"to": self.address, "data": data}, "latest")
        return number_result(answer, "eth_call")


def find_or_deploy(rpc: Rpc) -> Token:
    """The token of this chain, created by the chain's first transaction if the chain is new.

    Raises RpcRefusedError if the first account was used for something else before.
    """
    token = Token(rpc, GLM_ADDRESS)
    if token.is_deployed():
        return token
    created = {"from": _treasury(rpc), "data": artifact().bytecode, "gas": _GAS_LIMIT}
    transaction = text_result(rpc.call("eth_sendTransaction", created), "eth_sendTransaction")
    receipt = wait_for_receipt(rpc, transaction)
    if receipt.get("contractAddress") != GLM_ADDRESS:
        raise RpcRefusedError(
            f"the GLM contract came to {receipt.get('contractAddress')} instead of {GLM_ADDRESS} — the chain was "
            f"used before its service ran — a new devnet starts with: {start_anew()}"
        )
    return token


def gas_balance(rpc: Rpc, holder: str) -> int:
    """The gas token of ``holder`` in wei."""
    return number_result(rpc.call("eth_getBalance", holder, "latest"), "eth_getBalance")


def _treasury(rpc: Rpc) -> str:
    """anvil's first account: it is unlocked, so that no key is handled here."""
    accounts = rpc.call("eth_accounts")
    if not isinstance(accounts, list) or not accounts:
        raise RpcRefusedError(f"eth_accounts answered {accounts!r}: the chain has no unlocked account")
    return parse_address(str(accounts[0]))


def _transfer(log: Mapping[str, object]) -> Transfer:
    topics = log["topics"]
    if not isinstance(topics, list):
        raise RpcRefusedError(f"a log without topics: {log!r}")
    return Transfer(
        tx=str(log["transactionHash"]),
        block=number_result(log["blockNumber"], "eth_getLogs"),
        sender=address_of_word(topics[1]),
        receiver=address_of_word(topics[2]),
        value=number_result(log["data"], "eth_getLogs"),
    )
