from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.bundle import HIDDEN, redacted

CANARY = "c4n4ry-tokenvalue-0123456789"


@given(st.text(), st.text())
def test_a_known_secret_never_passes(before: str, after: str) -> None:
    assert CANARY not in redacted(f"{before}{CANARY}{after}", (CANARY,))


def test_what_looks_like_a_secret_is_hidden_too() -> None:
    text = (
        "Authorization: Bearer abcdefghijkl\n"
        'app_key = "0123456789abcdef"\n'
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
        "the budget is 5 GLM\n"
    )
    shown = redacted(text, ())
    assert shown.splitlines()[0] == f"Authorization: Bearer {HIDDEN}"
    assert "0123456789abcdef" not in shown
    assert "AAAA" not in shown
    assert "the budget is 5 GLM" in shown
