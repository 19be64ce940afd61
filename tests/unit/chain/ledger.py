"""A chain of a few dictionaries that knows the GLM contract's rules: what anvil is to the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from golem_devnet.chain.errors import RpcRefusedError
from golem_devnet.chain.token import GLM_ADDRESS, TRANSFER_TOPIC, artifact

TREASURY = "0x" + "f" * 40
NOBODY = "0x" + "0" * 40


@dataclass
class LedgerChain:
    """Answers the JSON-RPC calls of the token module; ``nonce`` counts the treasury's transactions."""

    nonce: int = 0
    deployed: bool = False
    glm: dict[str, int] = field(default_factory=dict)
    gas: dict[str, int] = field(default_factory=dict)
    grants: list[str] = field(default_factory=list)
    receipts: dict[str, dict[str, object]] = field(default_factory=dict)
    logs: list[dict[str, object]] = field(default_factory=list)

    def call(self, method: str, *params: str | bool | Mapping[str, object]) -> object:
        match method, params:
            case "eth_accounts", ():
                return [TREASURY]
            case "eth_getCode", (address, _):
                return "0x60" if self.deployed and address == GLM_ADDRESS else "0x"
            case "eth_sendTransaction", (dict(transaction),):
                return self._send(transaction)
            case "eth_getTransactionReceipt", (str(tx),):
                return self.receipts.get(tx)
            case "eth_call", (dict(message), _):
                return self._read(str(message["data"]))
            case "eth_getLogs", (dict(wanted),):
                topics = wanted["topics"]
                return [log for log in self.logs if _fits(log["topics"], topics)]
        raise AssertionError(f"unexpected call {method} {params}")

    def _send(self, transaction: Mapping[str, object]) -> str:
        self.nonce += 1
        tx = f"0x{self.nonce:064x}"
        data = str(transaction["data"])
        if "to" not in transaction:
            assert data == artifact().bytecode
            self.deployed = True
            created = GLM_ADDRESS if self.nonce == 1 else "0x" + "9" * 40
            self.receipts[tx] = {"status": "0x1", "contractAddress": created}
            return tx
        assert data[2:10] == artifact().selectors["grant(address,uint256)"]
        wallet, amount = "0x" + data[10:74][-40:], int(data[74:138], 16)
        if wallet in self.grants:
            raise RpcRefusedError("execution reverted: already granted")
        self.grants.append(wallet)
        self.gas[wallet] = self.gas.get(wallet, 0) + int(str(transaction["value"]), 16)
        self.record(NOBODY, wallet, amount, tx)
        self.receipts[tx] = {"status": "0x1", "contractAddress": None}
        return tx

    def record(self, sender: str, receiver: str, value: int, tx: str) -> None:
        """Move GLM as the contract does, log included."""
        self.glm[receiver] = self.glm.get(receiver, 0) + value
        if sender != NOBODY:
            self.glm[sender] -= value
        words = ["0x" + party[2:].rjust(64, "0") for party in (sender, receiver)]
        self.logs.append(
            {
                "transactionHash": tx,
                "blockNumber": hex(len(self.logs) + 2),
                "topics": [TRANSFER_TOPIC, *words],
                "data": f"0x{value:064x}",
            }
        )

    def _read(self, data: str) -> str:
        selectors = artifact().selectors
        holder = "0x" + data[10:74][-40:]
        if data[2:10] == selectors["balanceOf(address)"]:
            return f"0x{self.glm.get(holder, 0):064x}"
        assert data[2:10] == selectors["granted(address)"]
        return f"0x{int(holder in self.grants):064x}"


def _fits(topics: object, wanted: object) -> bool:
    assert isinstance(topics, list)
    assert isinstance(wanted, list)
    return all(want is None or topic == want for topic, want in zip(topics, wanted, strict=True))
