"""GolemPort in memory."""

from __future__ import annotations

from decimal import Decimal

from golem_bridge.clock import Clock
from tests.fakes.golem.activity import MemoryActivities
from tests.fakes.golem.market import MemoryMarket
from tests.fakes.golem.network import MemoryNetworks
from tests.fakes.golem.payment import MemoryPayments
from tests.fakes.golem.world import FakeActivity, World

NODE_ID = "0x" + "11" * 20


class MemoryGolem(MemoryMarket, MemoryActivities, MemoryNetworks, MemoryPayments):
    """A small Golem Network and the yagna that speaks to it.

    Tests script providers (:class:`FakeProvider`, :meth:`join`), send documents (``send_invoice``,
    ``send_debit_note``, ``send_malformed``, ``send``), take yagna ``down`` or :meth:`restart` it.
    """

    def __init__(self, *, clock: Clock, wallet: Decimal = Decimal(1000)) -> None:
        world = World(clock)
        MemoryMarket.__init__(self, world)
        MemoryActivities.__init__(self, world)
        MemoryNetworks.__init__(self, world)
        MemoryPayments.__init__(self, world, node_id=NODE_ID, wallet=wallet)
        world.on_activity = self._send_notes
        world.on_agreement_end = self._send_last_invoice
        self.world = world

    @property
    def down(self) -> bool:
        """Whether yagna is out of reach."""
        return self.world.down

    @down.setter
    def down(self, value: bool) -> None:
        self.world.down = value
        self.world.tell()

    def restart(self) -> None:
        """yagna restarts: it forgets its VPNs and nothing else."""
        self.forget_networks()

    def end_activity(self, activity_id: str) -> None:
        """The provider ends an activity by itself."""
        self.world.end_activity(self.world.activity(activity_id))

    async def identity(self) -> str:
        self.world.check_up()
        return NODE_ID

    async def close(self) -> None:
        await self.world.stop()

    def _send_notes(self, activity: FakeActivity) -> None:
        if activity.agreement.provider.debit_note_interval is not None:
            self.world.run(self._notes(activity, activity.agreement.provider.debit_note_interval))

    async def _notes(self, activity: FakeActivity, interval: float) -> None:
        while True:
            await self.world.clock.sleep(interval)
            if activity.ended_at is not None or activity.agreement.provider.vanished:
                return
            self.charge(activity)

    def _send_last_invoice(self, agreement_id: str) -> None:
        agreement = self.world.agreement(agreement_id)
        provider = agreement.provider
        if provider.sends_invoices and not provider.vanished:
            self.world.later(provider.delay, lambda: self.charge_all(agreement))
