"""Runs in the devnet's chain container: ``set_glm.py ADDRESS WEI`` sets what an address holds of GLM.

Prints what it held before. No transaction does it, so that the address's own count of them stays right.
"""

from __future__ import annotations

import os
import sys

from golem_devnet.chain.amounts import word
from golem_devnet.chain.config import read_facts
from golem_devnet.chain.rpc import HttpRpc, text_result
from golem_devnet.chain.service import LOCAL_RPC
from golem_devnet.chain.settings import read_settings
from golem_devnet.chain.token import Token

BALANCES = 1
"""Storage slot of the contract's mapping ``balanceOf``, its second variable."""


def main() -> None:
    holder, wei = sys.argv[1], int(sys.argv[2])
    rpc = HttpRpc(LOCAL_RPC)
    glm = read_facts(read_settings(os.environ).config_dir).glm
    print(Token(rpc, glm).balance(holder))
    slot = text_result(rpc.call("web3_sha3", "0x" + word(holder) + f"{BALANCES:064x}"), "web3_sha3")
    rpc.call("anvil_setStorageAt", glm, slot, f"0x{wei:064x}")


if __name__ == "__main__":
    main()
