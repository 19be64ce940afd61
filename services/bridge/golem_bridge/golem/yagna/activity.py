"""Activity API: starting an activity under an agreement and running exe-scripts in it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from pydantic import BaseModel, Field, TypeAdapter

from golem_bridge.clock import Clock
from golem_bridge.errors import TRY_ANOTHER, CommandFailedError, GolemError, GolemTimeoutError
from golem_bridge.golem.types import CommandResult
from golem_bridge.golem.yagna.failures import no_route, quoted
from golem_bridge.golem.yagna.rest import MARGIN, Answer, Rest

POLL = 20.0
"""Seconds one look at a running exe-script may wait."""

PAUSE = 0.5
"""Seconds between looks that brought nothing new at once (no real exe-unit does that, a hostile one may)."""

NO_ROUTE_TRIES = 4
"""An exe-unit may be out of reach that many times in a row before it counts as gone."""

NO_ROUTE_PAUSE = 2.0
"""Seconds between those tries."""

Script = Sequence[Mapping[str, object]]

log = structlog.get_logger(__name__)


class _WireActivity(BaseModel):
    activity_id: str = Field(alias="activityId")


class _WireState(BaseModel):
    state: list[str | None] = Field(min_length=1)


class _WireResult(BaseModel):
    index: int
    result: str
    stdout: str | None = None
    stderr: str | None = None
    message: str | None = None
    is_batch_finished: bool = Field(alias="isBatchFinished", default=False)


_TEXT = TypeAdapter(str)
_ACTIVITY = TypeAdapter(_WireActivity)
_STATE = TypeAdapter(_WireState)
_RESULTS = TypeAdapter(list[_WireResult])


class Activities:
    """The activity half of GolemPort."""

    def __init__(self, rest: Rest, clock: Clock) -> None:
        self._rest = rest
        self._clock = clock

    async def create_activity(self, agreement_id: str, *, timeout: float) -> str:
        """Start an activity; returns its id. Raises GolemTimeoutError."""
        answer = await self._rest.call(
            f"Cannot start an activity under agreement {agreement_id}",
            self._rest.activity.create_activity,
            {"agreementId": agreement_id},
            timeout=timeout,
            within=timeout + MARGIN,
        )
        return answer.read(_ACTIVITY).activity_id

    async def destroy_activity(self, activity_id: str, *, timeout: float) -> None:
        """End an activity; one that has ended already, or is unknown, is no error."""
        answer = await self._rest.call(
            f"Cannot end activity {activity_id}",
            self._rest.activity.destroy_activity,
            activity_id,
            timeout=timeout,
            within=timeout + MARGIN,
        )
        answer.check(gone_is_fine=True)

    async def activity_state(self, activity_id: str) -> str:
        """New, Initialized, Deployed, Ready, Terminated or Unresponsive. Raises NotFoundError."""
        answer = await self._rest.call(
            f"Cannot look up activity {activity_id}", self._rest.activity_state.get_activity_state, activity_id
        )
        return answer.read(_STATE).state[0] or "New"

    async def execute(self, activity_id: str, script: Script, *, timeout: float) -> Sequence[CommandResult]:
        """Run an exe-script to its end.

        Raises CommandFailedError (with the provider's message) at the first command that fails, or when the provider
        ends the activity meanwhile; GolemTimeoutError after ``timeout`` seconds (the script goes on running then);
        NodeUnreachableError when the provider is out of reach for longer than a few tries take.
        """
        deadline = self._clock.monotonic() + timeout
        batch_id = await self._send(activity_id, script, deadline)
        results: Sequence[_WireResult] = []
        while len(results) < len(script):
            seen = len(results)
            left = deadline - self._clock.monotonic()
            if left <= 0:
                raise GolemTimeoutError(
                    f"The provider did not finish a script in {timeout:.0f} s — {seen} of {len(script)} commands are "
                    f"done, next: {_name(script, seen)} — {TRY_ANOTHER}"
                )
            results = await self._look(activity_id, batch_id, min(left, POLL), deadline)
            _raise_first_failure(results, script)
            if results and results[-1].is_batch_finished:
                break
            if len(results) <= seen:
                await self._clock.sleep(min(PAUSE, max(0.0, left)))
        return [_result(wire) for wire in results]

    async def _send(self, activity_id: str, script: Script, deadline: float) -> str:
        body = {"text": json.dumps(list(script))}

        async def send() -> Answer:
            return await self._rest.call(
                f"Cannot run a script in activity {activity_id}", self._rest.activity.call_exec, activity_id, body
            )

        answer = await self._reach(send, activity_id, deadline)  # sending again is safe: it had not arrived
        return answer.read(_TEXT)

    async def _look(self, activity_id: str, batch_id: str, wait: float, deadline: float) -> Sequence[_WireResult]:
        """Results so far, once the script has ended or ``wait`` seconds have passed.

        Asked without a command index: yagna 0.17.6 then answers with what there is, instead of 408.
        """

        async def look() -> Answer:
            return await self._rest.call(
                f"Cannot read the results of a script in activity {activity_id}",
                self._rest.activity.get_exec_batch_results,
                activity_id,
                batch_id,
                timeout=wait,
                within=wait + MARGIN,
            )

        answer = await self._reach(look, activity_id, deadline)
        if answer.status in {408, 504}:
            return []
        return answer.read(_RESULTS)

    async def _reach(self, ask: Callable[[], Awaitable[Answer]], activity_id: str, deadline: float) -> Answer:
        """Ask an exe-unit, which may be out of reach for a moment.

        Raises CommandFailedError if the activity has ended meanwhile, NodeUnreachableError if the exe-unit stays away.
        """
        for left in reversed(range(NO_ROUTE_TRIES)):
            answer = await ask()
            if not no_route(answer.status, answer.message):
                return answer
            await self._check_not_ended(activity_id)
            if left == 0 or self._clock.monotonic() + NO_ROUTE_PAUSE >= deadline:
                break
            await self._clock.sleep(NO_ROUTE_PAUSE)
        raise answer.failure()

    async def _check_not_ended(self, activity_id: str) -> None:
        try:
            state = await self.activity_state(activity_id)
        except GolemError as error:  # nobody can tell: go by the exe-unit alone
            log.debug("activity state unknown", activity=activity_id, reason=error.message)
            return
        if state == "Terminated":
            raise CommandFailedError(f"The provider ended activity {activity_id} — its state: {state} — {TRY_ANOTHER}")


def _raise_first_failure(results: Sequence[_WireResult], script: Script) -> None:
    for wire in results:
        if wire.result != "Ok":
            said = [quoted(text) for text in (wire.message, _tail(wire.stderr), _tail(wire.stdout)) if text]
            raise CommandFailedError(
                f"Command {_name(script, wire.index)} failed on the provider — {'; '.join(said) or 'no reason given'}"
                f" — {TRY_ANOTHER}"
            )


def _name(script: Script, index: int) -> str:
    """For example ``run (3 of 3)``."""
    if not 0 <= index < len(script):
        return f"number {index + 1}"
    return f"{next(iter(script[index]), '?')} ({index + 1} of {len(script)})"


def _tail(text: str | None) -> str:
    return (text or "").strip()[-200:]


def _result(wire: _WireResult) -> CommandResult:
    return CommandResult(
        index=wire.index, ok=True, stdout=wire.stdout or "", stderr=wire.stderr or "", message=wire.message or ""
    )
