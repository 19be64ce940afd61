"""How much of what clients say is kept, and what it may look like. A head's client is a stranger's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from golem_bridge.errors import InputError

MAX_TAGS = 50
"""Of one node; Ray has 10."""

MAX_TAGS_SIZE = 4096
"""Characters of one node's tags as they are kept, in ASCII; Ray's have some 700."""

MAX_TYPE_NAME = 100
"""Characters."""


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises InputError for more tags than one node may have, and for such as no answer could hold."""
    size = len(json.dumps(dict(tags)))
    if len(tags) > MAX_TAGS or size > MAX_TAGS_SIZE:
        raise InputError(
            f"Too many tags for one node — {len(tags)} tags, {size} characters as JSON; at most {MAX_TAGS} tags and "
            f"{MAX_TAGS_SIZE} characters — send fewer"
        )
    for text in (*tags, *tags.values()):
        if not _is_unicode(text):
            raise InputError(f"Bad text in a tag — {text[:64]!r} is not Unicode — send other tags")


def check_node_types(names: Iterable[str]) -> None:
    """Raises InputError for a name that is too long, or would upset a terminal."""
    for name in names:
        if not 0 < len(name) <= MAX_TYPE_NAME or not name.isprintable():
            raise InputError(
                f"Bad name of a node type — {name[:64]!r}, {len(name)} characters; allowed are 1 to {MAX_TYPE_NAME} "
                "printable ones — rename it in the cluster file"
            )


def _is_unicode(text: str) -> bool:
    """JSON may hold halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
