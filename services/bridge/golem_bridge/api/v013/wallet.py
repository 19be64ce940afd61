"""What the client is told of the wallet. It refuses every command, ``ray down`` too, when ``amount`` is 0."""

from __future__ import annotations

from decimal import Decimal

from golem_bridge.api.context import Context
from golem_bridge.errors import GolemError
from golem_bridge.money.price import glm_text

LEAST = Decimal("1e-18")


async def wallet_status(context: Context) -> dict[str, object]:
    """Never 0 while nodes live, so that they can be ended. Raises GolemError when nothing lives."""
    platform = context.settings.golem_network.payment_platform
    driver, network, token = platform.split("-")
    amount = _amount(context)
    rows = (("platform", platform), ("total amount", f"{glm_text(amount)} {token}"))
    return {
        "wallet_address": context.presenter.wallet,
        "yagna_payment_status_output": "".join(f"{name}: {value}\n" for name, value in rows),
        "yagna_payment_status": {"amount": glm_text(amount), "token": token, "driver": driver, "network": network},
    }


def _amount(context: Context) -> Decimal:
    alive = any(node.state.is_live for node in context.books.nodes.unfinished())
    try:
        amount = context.funds().glm
    except GolemError:
        if not alive:
            raise
        return LEAST
    return max(amount, LEAST) if alive else amount
