"""How a command of Ray's ends when something fails: one sentence, exit code 1, no traceback."""

from __future__ import annotations

import functools
from typing import Any, Callable, NoReturn, TypeVar

import click
from ray.autoscaler._private.cli_logger import SilentClickException, cli_logger

from ray_on_golem.errors import RayOnGolemError

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


def abort(error: RayOnGolemError) -> NoReturn:
    """End the command at once, from where Ray would swallow an error of ours."""
    cli_logger.abort("{}", error.message, exc=SilentClickException(error.message))
    raise AssertionError("abort does not return")
