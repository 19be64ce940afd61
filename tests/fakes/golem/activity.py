"""Activities in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem_bridge.errors import CommandFailedError, GolemError, NodeUnreachableError
from golem_bridge.golem.types import AgreementState, CommandResult
from tests.fakes.golem.world import FakeActivity, World, late

_NEXT_STATE = {"deploy": "Deployed", "start": "Ready", "terminate": "Terminated"}


class MemoryActivities:
    def __init__(self, world: World) -> None:
        self._world = world

    async def create_activity(self, agreement_id: str, *, timeout: float) -> str:
        self._world.check_up()
        agreement = self._world.agreement(agreement_id)
        if agreement.state is not AgreementState.APPROVED:
            raise GolemError(f"Cannot start an activity — agreement {agreement_id} is {agreement.state} — sign another")
        provider = agreement.provider
        if provider.vanished or provider.fails_activities:
            await self._world.clock.sleep(timeout)
            raise late("Cannot start an activity", timeout)
        await self._world.clock.sleep(provider.delay)
        activity_id = self._world.new_id("activity")
        activity = FakeActivity(activity_id, agreement, self._world.clock.now())
        self._world.activities[activity_id] = activity
        self._world.on_activity(activity)
        return activity_id

    async def destroy_activity(self, activity_id: str, *, timeout: float) -> None:
        self._world.check_up()
        if activity_id not in self._world.activities:
            return
        activity = self._world.activity(activity_id)
        if activity.agreement.provider.vanished and activity.state != "Terminated":
            await self._world.clock.sleep(timeout)
            raise late(f"Cannot end activity {activity_id}", timeout)
        self._world.end_activity(activity)

    async def activity_state(self, activity_id: str) -> str:
        self._world.check_up()
        activity = self._world.activity(activity_id)
        if activity.agreement.provider.vanished:
            # yagna asks the provider's yagna; where only the provider's agent is gone, that one says "Unresponsive"
            raise NodeUnreachableError(f"Cannot read the state of activity {activity_id} — out of reach — try again")
        return activity.state

    async def execute(
        self, activity_id: str, script: Sequence[Mapping[str, object]], *, timeout: float
    ) -> Sequence[CommandResult]:
        self._world.check_up()
        activity = self._world.activity(activity_id)
        left, results = timeout, []
        for index, command in enumerate(script):
            name = next(iter(command))
            activity.scripts.append(command)
            provider = activity.agreement.provider
            if provider.vanished or name == provider.hanging_command or provider.command_seconds > left:
                await self._world.until(lambda: activity.state == "Terminated", left)
            else:
                await self._world.clock.sleep(provider.command_seconds)
                left -= provider.command_seconds
                results.append(self._finish(activity, index, name))
                continue
            if activity.state == "Terminated":
                raise CommandFailedError(f"The provider ended activity {activity_id} — Terminated — try another")
            raise late(f"The provider did not finish {name} in activity {activity_id}", timeout)
        return results

    @staticmethod
    def _finish(activity: FakeActivity, index: int, name: str) -> CommandResult:
        provider = activity.agreement.provider
        if activity.state == "Terminated":
            raise CommandFailedError(f"The provider ended activity {activity.activity_id} — Terminated — try another")
        if name == provider.failing_command:
            raise CommandFailedError(f"Command {name} failed on the provider — {provider.failure_message}")
        activity.state = _NEXT_STATE.get(name, activity.state)
        output = provider.run_output if name == "run" else ""
        return CommandResult(index=index, ok=True, stdout=output, stderr="", message="")
