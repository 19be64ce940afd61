"""Which of a provider's offers counts: yagna goes on proposing those that their provider has withdrawn or forgotten.

To a new demand it proposes them in the order in which it heard of them, but hands out the events of one answer in no
order (seen with 0.17.6). So the one made last is what the provider offers now.
"""

from __future__ import annotations

from datetime import datetime

from golem_bridge.golem.types import Proposal


class Newest:
    """Remembers, for one demand, when each provider's newest initial proposal was made."""

    def __init__(self) -> None:
        self._made_at: dict[str, datetime] = {}

    def is_news(self, proposal: Proposal) -> bool:
        """Whether it takes the place of what the provider offered before; False for one that is older than that."""
        if proposal.made_at < self._made_at.get(proposal.provider_id, proposal.made_at):
            return False
        self._made_at[proposal.provider_id] = proposal.made_at
        return True
