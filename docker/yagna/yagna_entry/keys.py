"""The two secrets: the app-key by which clients speak to yagna, and (if given) the wallet's key."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from .advice import compose, project
from .errors import StartError
from .files import write_atomically

_APP_KEY = re.compile(r"[A-Za-z0-9_-]{32,}")
_IDENTITY = re.compile(r"(0x)?[0-9a-fA-F]{64}")


def app_key(path: Path) -> str:
    """The installation's app-key: made at the first start, the same ever after. 0600.

    A file that holds no key (a crash left it empty) is replaced. Raises StartError if it cannot be written.
    """
    try:
        known = path.read_text("utf-8").strip() if path.exists() else ""
        if _APP_KEY.fullmatch(known):
            path.chmod(0o600)
            return known
        made = secrets.token_urlsafe(32)
        write_atomically(path, made + "\n", mode=0o600)
    except OSError as error:
        raise StartError(
            f"the app-key file {path} is not usable — {error} — its volume must belong to uid 10001: "
            f"{compose('down')}, docker volume rm {project()}_yagna-appkey, then start it as before"
        ) from error
    return made


def identity_secret(path: Path) -> str | None:
    """The wallet's private key as 64 hexadecimal digits, if a file was mounted and is not empty.

    None lets yagna make an identity at its first start and keep it in the data volume. Raises StartError,
    which never shows the content.
    """
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not plain text"
        raise StartError(
            f"the wallet's key cannot be read — {path}: {reason} — mount a file readable by uid 10001"
        ) from None
    if not text:
        return None
    if not _IDENTITY.fullmatch(text):
        raise StartError(
            f"{path} is no private key — it holds {len(text)} characters instead of 64 hexadecimal digits — "
            "correct the file, then start it as before"
        )
    return text.removeprefix("0x").lower()
