"""Money on the chain is an integer and stays one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_devnet.chain.amounts import address_of_word, parse_address, parse_amount, to_wei, wei_text, word
from golem_devnet.chain.errors import SettingsError

WORDS = st.integers(min_value=0, max_value=2**256 - 1)
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


@given(WORDS)
def test_text_and_wei_are_each_others_inverse(wei: int) -> None:
    assert to_wei(Decimal(wei_text(wei))) == wei


@pytest.mark.parametrize(
    ("wei", "text"), [(0, "0"), (1, "0.000000000000000001"), (10**18, "1"), (1500 * 10**15, "1.5"), (10**21, "1000")]
)
def test_text_has_no_superfluous_zeros(wei: int, text: str) -> None:
    assert wei_text(wei) == text


@pytest.mark.parametrize("amount", ["-1", "0.0000000000000000001", "NaN", "Infinity", "ten", ""])
def test_an_unusable_amount_names_its_variable(amount: str) -> None:
    with pytest.raises(SettingsError, match="DEVNET_WALLET_GLM"):
        parse_amount("DEVNET_WALLET_GLM", amount)


@given(WORDS)
def test_a_word_is_32_bytes(value: int) -> None:
    assert len(word(value)) == 64
    assert int(word(value), 16) == value


@given(ADDRESSES)
def test_an_address_survives_its_word(address: str) -> None:
    assert address_of_word("0x" + word(address)) == address


@pytest.mark.parametrize("text", ["", "0x", "0x12", "a" * 42, "0x" + "g" * 40, "0x" + "a" * 41])
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        parse_address(text)
