"""Addresses, wei and their ABI words.

Amounts of GLM and of the gas token have 18 decimals; on the chain they are integers, called wei here.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from golem_devnet.chain.errors import SettingsError

DECIMALS = 18
_WEI = 1_000_000_000_000_000_000
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_WORD_DIGITS = 64


def parse_address(text: str) -> str:
    """The address in lower case; ValueError for anything but 0x and 40 hexadecimal digits."""
    candidate = text.strip()
    if not _ADDRESS.fullmatch(candidate):
        raise ValueError(f"{candidate[:60]!r} is no address (0x and 40 hexadecimal digits)")
    return candidate.lower()


def to_wei(amount: Decimal) -> int:
    """18-decimal tokens as an exact integer; ValueError for negative, infinite or finer than one wei."""
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{amount} is no amount of a token")
    numerator, denominator = amount.as_integer_ratio()
    wei, rest = divmod(numerator * _WEI, denominator)
    if rest:
        raise ValueError(f"{amount} is finer than one wei")
    return wei


def wei_text(wei: int) -> str:
    """Tokens in plain decimal notation, exact, without superfluous zeros."""
    whole, fraction = divmod(wei, _WEI)
    return f"{whole}.{fraction:0{DECIMALS}d}".rstrip("0").rstrip(".")


def parse_amount(variable: str, text: str) -> int:
    """Wei of an amount given in an environment variable; raises SettingsError naming it."""
    try:
        return to_wei(Decimal(text.strip()))
    except (InvalidOperation, ValueError) as error:
        raise SettingsError(
            f"{variable} must be an amount such as 1000 or 0.5 — it is {text!r} — correct it in .env"
        ) from error


def word(value: int | str) -> str:
    """One 32-byte ABI word, without 0x, of a non-negative integer or an address."""
    digits = value.removeprefix("0x").lower() if isinstance(value, str) else format(value, "x")
    return digits.rjust(_WORD_DIGITS, "0")


def address_of_word(text: str) -> str:
    """The address in the last 20 bytes of a word such as an indexed log topic."""
    return parse_address("0x" + text[-40:])
