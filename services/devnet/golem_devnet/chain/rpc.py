"""A JSON-RPC client of the local chain, of nothing but the standard library."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from golem_devnet.advice import compose
from golem_devnet.chain.errors import RpcRefusedError, RpcUnreachableError


class Rpc(Protocol):
    """One JSON-RPC call; the seam at which tests put their own chain."""

    def call(self, method: str, *params: str | bool | Mapping[str, object]) -> object: ...


@dataclass(frozen=True)
class HttpRpc:
    """JSON-RPC over HTTP.

    ``timeout`` seconds bound each call. ``call`` raises RpcUnreachableError when nothing answers and
    RpcRefusedError when the answer is an error.
    """

    url: str
    timeout: float = 10.0

    def call(self, method: str, *params: str | bool | Mapping[str, object]) -> object:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})  # noqa: S310 - http only
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:  # noqa: S310
                answer: object = json.loads(response.read())
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            raise RpcUnreachableError(
                f"the local chain did not answer {method} — {self.url}: {error} — see {compose('logs chain')}"
            ) from error
        except ValueError as error:
            raise RpcRefusedError(f"{method}: the answer of {self.url} is not JSON") from error
        if not isinstance(answer, dict) or "result" not in answer:
            problem = answer.get("error") if isinstance(answer, dict) else answer
            raise RpcRefusedError(f"the local chain refused {method} — {problem}")
        return answer["result"]


def text_result(value: object, method: str) -> str:
    """A result that must be a string; raises RpcRefusedError else."""
    if not isinstance(value, str):
        raise RpcRefusedError(f"{method} answered {value!r} where text was expected")
    return value


def number_result(value: object, method: str) -> int:
    """A result that must be a 0x number; raises RpcRefusedError else."""
    try:
        return int(text_result(value, method), 16)
    except ValueError as error:
        raise RpcRefusedError(f"{method} answered {value!r} where a number was expected") from error


def wait_for_receipt(rpc: Rpc, transaction: str, limit: float = 10.0) -> Mapping[str, object]:
    """The receipt of a transaction that must succeed; anvil mines it at once.

    Raises RpcRefusedError when it failed or has no receipt after ``limit`` seconds.
    """
    deadline = time.monotonic() + limit
    while True:
        receipt = rpc.call("eth_getTransactionReceipt", transaction)
        if isinstance(receipt, dict):
            if number_result(receipt.get("status"), "eth_getTransactionReceipt") != 1:
                raise RpcRefusedError(f"transaction {transaction} failed on the local chain")
            return receipt
        if time.monotonic() > deadline:
            raise RpcRefusedError(f"transaction {transaction} has no receipt after {limit:g} s")
        time.sleep(0.02)
