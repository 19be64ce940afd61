"""``images list | add TAG [SOURCE] | remove TAG``: what nodes can be made of. ``add`` reads a tar on standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from golem_devnet.catalogue.images import ImageError, Images


def run(images: Images, arguments: Sequence[str]) -> int:
    """Exit code. ``list`` prints JSON: tag, hash and source of each."""
    try:
        match arguments:
            case [] | ["list"]:
                print(json.dumps([{"tag": image.tag, "hash": image.hash, "source": image.source} for image in images]))
            case ["add", tag, *rest] if len(rest) <= 1:
                print(images.add(tag, sys.stdin.buffer, source=rest[0] if rest else "").hash)
            case ["remove", tag]:
                if not images.remove(tag):
                    raise ImageError(f"there is no image {tag} — see: images list")
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except (ImageError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
