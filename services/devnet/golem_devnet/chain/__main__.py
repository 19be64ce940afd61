"""Command line of the local chain: ``python -m golem_devnet.chain serve | healthy | transfers | balance``."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys

from golem_devnet.chain.amounts import parse_address, wei_text
from golem_devnet.chain.config import read_facts
from golem_devnet.chain.errors import ChainError
from golem_devnet.chain.health import check
from golem_devnet.chain.rpc import HttpRpc
from golem_devnet.chain.service import LOCAL_RPC, serve
from golem_devnet.chain.settings import Settings, read_settings
from golem_devnet.chain.token import Token, Transfer, gas_balance


def main() -> int:
    """0: done; 1: a ChainError, told in one line on standard error; 2: wrong arguments."""
    arguments = _parser().parse_args()
    logging.basicConfig(format="chain: %(message)s", level=logging.INFO)
    try:
        return _run(arguments, read_settings(os.environ))
    except ChainError as error:
        sys.stderr.write(f"chain: {error}\n")
        return 1


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    rpc = HttpRpc(arguments.rpc)
    match arguments.command:
        case "serve":
            serve(settings)
        case "healthy":
            check(rpc, settings.config_dir)
        case "transfers":
            token = Token(rpc, read_facts(settings.config_dir).glm)
            found = token.transfers(arguments.sender, arguments.receiver)
            _say(json.dumps([_transfer_document(transfer) for transfer in found], indent=1))
        case "balance":
            glm = Token(rpc, read_facts(settings.config_dir).glm).balance(arguments.address)
            gas = gas_balance(rpc, arguments.address)
            _say(_balance_text(arguments.address, glm, gas, as_json=arguments.json))
    return 0


def _balance_text(address: str, glm: int, gas: int, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"address": address, "glm_wei": glm, "gas_wei": gas})
    return f"{wei_text(glm)} GLM, {wei_text(gas)} tETH"


def _transfer_document(transfer: Transfer) -> dict[str, str | int]:
    return {
        "tx": transfer.tx,
        "block": transfer.block,
        "from": transfer.sender,
        "to": transfer.receiver,
        "value": transfer.value,
    }


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m golem_devnet.chain", description=__doc__)
    parser.add_argument("--rpc", default=LOCAL_RPC, help="JSON-RPC address (default %(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the chain until SIGTERM")
    commands.add_parser("healthy", help="exit 0 if the chain is usable")
    transfers = commands.add_parser("transfers", help="GLM transfers as JSON, values in wei")
    transfers.add_argument("--from", dest="sender", type=_address, metavar="ADDR")
    transfers.add_argument("--to", dest="receiver", type=_address, metavar="ADDR")
    balance = commands.add_parser("balance", help="GLM and gas token of an address")
    balance.add_argument("address", type=_address)
    balance.add_argument("--json", action="store_true", help="wei as exact integers")
    return parser


def _address(text: str) -> str:
    try:
        return parse_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
