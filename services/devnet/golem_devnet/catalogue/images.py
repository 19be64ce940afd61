"""The images nodes can be made of: the container's own file system, and those that were added.

An added image is a folder named after its hash, with its files in ``root``; overlayfs puts a node on top of them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

NODE_IMAGE = "ray-on-golem/ray-node:local"
ADDED = Path("/var/lib/golem-devnet/images")
"""On a volume: overlayfs takes its lower layer from there as from a disk."""

OWN_ROOT = Path("/")
ABOUT = "about.json"


class ImageError(Exception):
    """The image was not added or removed."""


@dataclass(frozen=True)
class Image:
    """``source`` is whatever whoever added it wants to know it by, such as the id of a Docker image."""

    tag: str
    root: Path
    source: str = ""

    @property
    def hash(self) -> str:
        return image_hash(self.tag)


def image_hash(tag: str) -> str:
    """What stands for the image's SHA3."""
    return hashlib.sha3_224(tag.encode()).hexdigest()


class Images:
    """All of them, as they are on the disk now; several processes look at it."""

    def __init__(self, added: Path = ADDED) -> None:
        self._added = added

    def __iter__(self) -> Iterator[Image]:
        yield Image(NODE_IMAGE, OWN_ROOT)
        for about in sorted(self._added.glob(f"*/{ABOUT}")):
            told = json.loads(about.read_text(encoding="utf-8"))
            yield Image(told["tag"], about.parent / "root", told["source"])

    def by_tag(self, tag: str) -> Image | None:
        return next((image for image in self if image.tag == tag), None)

    def by_hash(self, wanted: str) -> Image | None:
        return next((image for image in self if image.hash == wanted), None)

    def add(self, tag: str, archive: IO[bytes], *, source: str = "") -> Image:
        """Unpack a tar of a whole file system, as ``docker export`` writes it. Replaces an image of that tag.

        Nodes that run from the replaced one lose their files. Raises ImageError.
        """
        self.remove(tag)
        folder = self._added / image_hash(tag)
        root = folder / "root"
        root.mkdir(parents=True)
        done = subprocess.run(
            ["tar", "--extract", "--numeric-owner", "--exclude=dev/*", "--directory", str(root)],
            stdin=archive,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0 or not (root / "bin" / "sh").exists():
            shutil.rmtree(folder)
            reason = done.stderr.strip()[-300:] or "it holds no /bin/sh"
            raise ImageError(f"image {tag} was not added — {reason} — give a tar of a whole file system")
        # last: an image without it does not exist
        (folder / ABOUT).write_text(json.dumps({"tag": tag, "source": source}), encoding="utf-8")
        return Image(tag, root, source)

    def remove(self, tag: str) -> bool:
        """Whether it was there. Raises ImageError for the container's own."""
        if tag == NODE_IMAGE:
            raise ImageError(f"{tag} is the devnet's own file system — choose another tag")
        folder = self._added / image_hash(tag)
        existed = (folder / ABOUT).exists()
        (folder / ABOUT).unlink(missing_ok=True)
        if folder.exists():
            shutil.rmtree(folder)
        return existed
