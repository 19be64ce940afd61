"""``make backup`` and ``make restore``: the wallet's key and the books, which exist nowhere else."""

from __future__ import annotations

import gzip
import os
import shlex
import tarfile
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from appliance.containers import running_services
from appliance.paths import ROOT, shown
from appliance.rented import refuse_while_rented
from appliance.settings import NETWORKS, Settings
from appliance.setup import get_base_images, start_engine
from appliance.steps import StepError, Steps
from appliance.volumes import BOOKS, WALLETS, in_container

VOLUMES = (WALLETS, BOOKS)
DEVNET_VOLUMES = ("chain-data", "devnet-data")
"""The chain that both refer to, and its providers."""

WRITERS = ("bridge", "yagna", "devnet", "chain")
"""Stopped while their volumes are copied, so that the copy is of one moment."""

UNTOUCHED = "nothing was replaced; the appliance is stopped — make restore again, or start it with what it had: make up"
HALF = (
    "wallet and books may be half replaced; the appliance is stopped and must not be started like that — "
    "run again: make restore FROM={}"
)
"""What is there after a failure."""

CHUNK = 1 << 20
"""Bytes."""


def save(steps: Steps, settings: Settings) -> None:
    """Write run/backup/DATE.tar.gz (0600); the appliance pauses for that.

    Raises StepError while nodes live, unless FORCE=1 is set: the pause would end those of the devnet, which are
    processes in one of its containers, and take the others' VPN away, which yagna keeps in memory only.
    """
    refuse_while_rented(settings, harm=_harm_of_a_pause(settings), anyway="copy all the same: make backup FORCE=1")
    ran = _running_writers(settings)
    folder = settings.run / "backup"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / time.strftime("%Y%m%d-%H%M%S.tar.gz")
    part = path.with_suffix(".part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _stop(steps, settings, ran)
        with steps.step(f"Writing {shown(path)}"):
            in_container(steps, settings, "pack", _volumes(settings), backup=part)
            check_backup(settings, part)
            part.rename(path)  # it counts, whatever becomes of the start that follows
    finally:
        part.unlink(missing_ok=True)
        _start_again(steps, settings, ran)
    steps.say(
        f"\n{shown(path)} holds the wallet's key: keep it as you keep money.\n"
        f"Bring it back: make restore FROM={_pasted(path)}"
    )


def _pasted(path: Path) -> str:
    """In a command that a user is to run."""
    return shlex.quote(shown(path))


def _harm_of_a_pause(settings: Settings) -> str:
    if settings.network == "devnet":
        return "a backup stops the devnet, and them with it"
    return "a backup restarts yagna, which loses the VPN they are reached through"


def bring_back(steps: Steps, settings: Settings) -> None:
    """Replace wallet and books by those of the backup FROM, also where all volumes are gone or on a new machine.

    Raises StepError while nodes live, unless FORCE=1 is set, and for a file that is no whole backup; then nothing was
    changed.
    """
    name = os.environ.get("FROM", "")
    path = (ROOT / os.path.expanduser(name)).resolve()  # noqa: PTH111 - Path raises where it knows no such user
    if not name or not path.is_file():
        raise StepError(f"No backup {name!r} — name one: make restore FROM=run/backup/DATE.tar.gz")
    with steps.step("Checks, nothing changed yet"):
        held = check_backup(settings, path)
    settings.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    start_engine(steps)
    refuse_while_rented(  # only now: with the engine a bridge may have come back
        settings,
        harm="their books would be lost",
        anyway=f"bring it back all the same: make restore FROM={_pasted(path)} FORCE=1",
    )
    get_base_images(steps, settings)
    with steps.step("Volumes"):
        _compose(steps, settings, "create", "--no-recreate")  # by compose, so that they are its own
        _check_no_wallet_is_lost(steps, settings, path, held)
    _replace(steps, settings, path)
    if "bridge" not in running_services(settings):
        steps.say("\nWallet and books are back. Start the appliance: make up")


def _replace(steps: Steps, settings: Settings, path: Path) -> None:
    """What the volumes hold by what the backup holds. Raises StepError, which says what is there now.

    The appliance does not go on after a failure: what it would go on with is the user's to decide.
    """
    ran, volumes = _running_writers(settings), _volumes(settings)
    with _explained(steps, UNTOUCHED):
        _stop(steps, settings, ran)
        with steps.step(f"Unpacking {shown(path)} beside what is there"):
            in_container(steps, settings, "unpack", volumes, backup=path)
    with _explained(steps, HALF.format(_pasted(path))), steps.step("Putting it in its place"):
        in_container(steps, settings, "swap", volumes)
    _start_again(steps, settings, ran)


@contextmanager
def _explained(steps: Steps, text: str) -> Iterator[None]:
    """``text`` is said when what is within fails or is interrupted."""
    try:
        yield
    except StepError as error:
        raise StepError(f"{error} — {text}") from error
    except KeyboardInterrupt:
        steps.say(f"\n{text}")
        raise


def check_backup(settings: Settings, path: Path) -> frozenset[str]:
    """Read it to its end; the networks whose wallets it holds.

    Raises StepError unless it is whole and holds every volume of this network, and this network's wallet.
    """
    names: set[str] = set()
    try:
        with gzip.open(path) as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
            for member in archive:
                parts = PurePosixPath(member.name).parts
                names |= {"/".join(parts[:1]), "/".join(parts[:2])}
            while plain.read(CHUNK):  # the check sum comes last
                pass
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise StepError(f"{shown(path)} is no whole backup — {error} — nothing was changed") from error
    wanted = (*_volumes(settings), f"{WALLETS}/{settings.network}")
    if missing := [name for name in wanted if name not in names]:
        raise StepError(
            f"{shown(path)} is no backup of {settings.network} — it lacks {missing[0]} — nothing was changed — "
            "name in .env the network it is of: GOLEM_NETWORK"
        )
    return frozenset(network for network in NETWORKS if f"{WALLETS}/{network}" in names)


def _check_no_wallet_is_lost(steps: Steps, settings: Settings, path: Path, held: frozenset[str]) -> None:
    """Raises StepError if the volume has a wallet of a network that the backup has none of."""
    folders = in_container(steps, settings, "wallets", [WALLETS]).split()
    if lost := sorted({*folders} & {*NETWORKS} - held):
        by_hand = f"make down && docker volume rm {settings.project}_{WALLETS}"
        raise StepError(
            f"{shown(path)} has no wallet of {', '.join(lost)}, the appliance has: its key would be lost — nothing was "
            "changed — keep it: make backup; if it may be lost: "
            f"{'make devnet-reset' if lost == ['devnet'] else by_hand}, then make restore again"
        )


def _volumes(settings: Settings) -> tuple[str, ...]:
    return (*VOLUMES, *DEVNET_VOLUMES) if settings.network == "devnet" else VOLUMES


def _running_writers(settings: Settings) -> list[str]:
    running = running_services(settings)
    return [name for name in WRITERS if name in running]


def _stop(steps: Steps, settings: Settings, names: Sequence[str]) -> None:
    if names:
        with steps.step("Stopping what writes"):
            _compose(steps, settings, "stop", *names)


def _start_again(steps: Steps, settings: Settings, names: Sequence[str]) -> None:
    """As they were, whatever .env says now."""
    if names:
        with steps.step("Starting again"):
            _compose(steps, settings, "up", "--detach", "--wait", "--no-recreate", *names)


def _compose(steps: Steps, settings: Settings, *arguments: str) -> None:
    environment = settings.compose_environment()
    steps.run(["docker", "compose", *arguments], log="backup", env=environment, show=lambda _: None)
