"""A sentence has one next step."""

from golem_bridge.errors import TRY_ANOTHER, GolemError


def test_a_finding_drops_the_next_step_that_does_not_hold_any_more() -> None:
    error = GolemError(f"Command deploy failed — no space left — {TRY_ANOTHER}")
    assert error.finding == "Command deploy failed — no space left"


def test_a_finding_keeps_a_next_step_that_helps() -> None:
    error = GolemError("yagna is down — no answer — see: docker compose logs yagna")
    assert error.finding == error.message
