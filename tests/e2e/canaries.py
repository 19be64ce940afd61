"""Looking for secrets where they must not be: an installation's own, which are random enough to be known again."""

from __future__ import annotations

import base64
import gzip
import io
import subprocess
import tarfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol, cast

CHUNK = 4 * 1024 * 1024
"""Bytes searched at a time."""

SEED_LINE = 3
"""The line of an unencrypted OpenSSH ed25519 key, header not counted, that holds the secret seed whole."""

BASE64_LINE = 70
SAMPLE_EVERY = 0.03
"""Seconds between two looks at all processes."""


class Readable(Protocol):
    """All a search needs of a file."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Canary:
    """A secret and the spellings by which it is known again; a failed test shows its name only."""

    name: str
    needles: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of_text(cls, name: str, text: str) -> Canary:
        """A token: as it is, and in base64 as shell scripts carry it."""
        value = text.strip().encode()
        assert len(value) >= 32, f"{name} is too short to be known again"
        return cls(name, (value, _encoded(value)))

    @classmethod
    def of_bytes(cls, name: str, value: bytes) -> Canary:
        """A binary key: as it is, in hexadecimal, in base64."""
        assert len(value) >= 32
        return cls(name, (value, value.hex().encode(), value.hex().upper().encode(), _encoded(value)))

    @classmethod
    def of_ssh_key(cls, name: str, pem: str) -> Canary:
        """The part of an OpenSSH private key that is secret: as it is, and the whole key in base64 once more."""
        lines = pem.strip().splitlines()[1:-1]
        assert all(len(line) == BASE64_LINE for line in lines[:-1]), "not OpenSSH's format"
        twice = base64.b64encode(pem.encode())
        at = pem.index(lines[SEED_LINE]) * 4 // 3 // 4 * 4
        return cls(name, (lines[SEED_LINE].encode(), twice[at + 4 : at + 84]))


def _encoded(value: bytes) -> bytes:
    """Base64, without the last characters, which what follows may change."""
    return base64.b64encode(value)[: len(value) // 3 * 4]


def found_in(canaries: Iterable[Canary], data: bytes) -> set[str]:
    """Names of those that are there."""
    return {canary.name for canary in canaries if any(needle in data for needle in canary.needles)}


def found_in_stream(canaries: Sequence[Canary], stream: Readable) -> set[str]:
    """The same for something long."""
    overlap = max(len(needle) for canary in canaries for needle in canary.needles)
    found: set[str] = set()
    tail = b""
    while block := stream.read(CHUNK):
        block = tail + block
        found |= found_in(canaries, block)
        tail = block[-overlap:]
    return found


def found_in_tar(canaries: Sequence[Canary], stream: IO[bytes]) -> Iterator[tuple[str, set[str]]]:
    """Every file of an archive, those of archives within it too, with the canaries in it."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            if member.name.endswith((".tar", ".tgz", ".tar.gz")) or "blobs/" in member.name:
                yield member.name, _found_in_layer(canaries, file)
            else:
                yield member.name, found_in_stream(canaries, file)


def _found_in_layer(canaries: Sequence[Canary], file: IO[bytes]) -> set[str]:
    """A layer of an image may be compressed."""
    layer = io.BufferedReader(cast(io.RawIOBase, file))
    is_compressed = layer.peek(2)[:2] == b"\x1f\x8b"
    return found_in_stream(canaries, gzip.GzipFile(fileobj=layer) if is_compressed else layer)


@contextmanager
def output_of(*command: str) -> Iterator[IO[bytes]]:
    """A command's standard output, as it comes; whoever reads it decides whether it was enough."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        yield process.stdout
        while process.stdout.read(CHUNK):
            pass


@dataclass
class Processes:
    """All command lines and environments that this user can see on this machine, look after look."""

    seen: dict[bytes, str] = field(default_factory=dict, repr=False)
    """What was seen, with where: "cmdline of NAME" or "environ of NAME"."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look until the block ends."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(SAMPLE_EVERY):
                self.look()

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def look(self) -> None:
        for folder in Path("/proc").glob("[0-9]*"):
            for kind in ("cmdline", "environ"):
                try:
                    text = (folder / kind).read_bytes()
                    name = (folder / "comm").read_text().strip()
                except OSError:
                    continue  # it has ended, or is not ours to see
                self.seen.setdefault(text, f"{kind} of {name}")

    def found(self, canaries: Sequence[Canary]) -> set[tuple[str, str]]:
        """Canary and where it was seen."""
        return {(name, where) for text, where in self.seen.items() for name in found_in(canaries, text)}
