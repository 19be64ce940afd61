"""How a command of Ray's ends when something fails: one sentence, exit code 1, no traceback."""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable, NoReturn, TypeVar

import click
from ray.autoscaler._private.cli_logger import SilentClickException, cli_logger

from ray_on_golem.errors import RayOnGolemError

NEED_HEAD = frozenset({"attach", "dashboard", "exec", "get-head-ip", "monitor", "rsync-down", "rsync-up", "submit"})
"""Ray's commands for a cluster that is up; ``--start`` makes some of them bring it up."""

Method = TypeVar("Method", bound=Callable[..., Any])


class CommandError(click.ClickException):
    """click, which runs Ray's commands, prints its message and ends with code 1."""

    def show(self, file: Any = None) -> None:
        cli_logger.error("{}", self.message)


def plainly(method: Method) -> Method:
    """For the provider's methods: on the user's host, failures end the command.

    On the head they stay what they are: the autoscaler logs them and tries again.
    """

    @functools.wraps(method)
    def call(provider: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return method(provider, *arguments, **named)
        except RayOnGolemError as error:
            if provider.is_on_head:
                raise
            raise CommandError(error.message) from error

    return call  # type: ignore[return-value]


def needs_head() -> bool:
    """Whether this is one of Ray's commands that end in a traceback where no head is; False outside of its CLI."""
    context = click.get_current_context(silent=True)
    scripts = sys.modules.get("ray.scripts.scripts")
    if context is None or scripts is None or context.find_root().command is not scripts.cli:
        return False
    if context.params.get("start"):
        return False
    return (context.command.name or "").replace("_", "-") in NEED_HEAD


def abort(error: RayOnGolemError) -> NoReturn:
    """End the command at once, from where Ray would swallow an error of ours."""
    cli_logger.abort("{}", error.message, exc=SilentClickException(error.message))
    raise AssertionError("abort does not return")
