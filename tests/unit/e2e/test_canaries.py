"""The search for secrets finds them: as they are, in base64, across blocks, in archives, compressed ones too."""

from __future__ import annotations

import base64
import gzip
import io
import os
import subprocess
import sys
import tarfile

import asyncssh
import pytest

from tests.e2e import canaries
from tests.e2e.canaries import Canary, Processes, found_in, found_in_stream, found_in_tar

TOKEN = "c4n4ry-" + "x1y2z3" * 6
KEY = bytes(range(7, 39))


def spellings() -> list[bytes]:
    token = TOKEN.encode()
    return [token, base64.b64encode(token), base64.b64encode(token + b"\n"), b'{"a": "' + token + b'"}']


@pytest.mark.parametrize("text", spellings())
def test_a_token_is_known_again(text: bytes) -> None:
    assert found_in([Canary.of_text("token", TOKEN + "\n")], b"before " + text + b" after") == {"token"}


@pytest.mark.parametrize("text", [KEY, KEY.hex().encode(), KEY.hex().upper().encode(), base64.b64encode(KEY)])
def test_a_binary_key_is_known_again(text: bytes) -> None:
    assert found_in([Canary.of_bytes("key", KEY)], b"before" + text + b"after") == {"key"}


def test_an_ssh_key_is_known_by_what_is_secret_in_it() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    pem, public = key.export_private_key().decode(), key.export_public_key()
    canary = Canary.of_ssh_key("key", pem)
    for text in (pem, pem.replace("\n", "\\n"), base64.b64encode(pem.encode()).decode()):
        assert found_in([canary], f"x {text} y".encode()) == {"key"}
    assert found_in([canary], public) == set()
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key()
    assert found_in([canary], other) == set()


def test_nothing_hides_between_two_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canaries, "CHUNK", 10)
    canary = Canary.of_text("token", TOKEN)
    for start in range(20):
        assert found_in_stream([canary], io.BytesIO(b"." * start + TOKEN.encode() + b"." * 30)) == {"token"}
    assert found_in_stream([canary], io.BytesIO(b"." * 500)) == set()


def packed(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def test_an_archives_files_are_named_and_its_layers_opened() -> None:
    layer = packed({"etc/secret": TOKEN.encode()})
    image = packed(
        {
            "manifest.json": b"[]",
            "0123/layer.tar": layer,
            "blobs/sha256/4567": gzip.compress(layer),
            "blobs/sha256/89ab": gzip.compress(packed({"etc/other": b"nothing"})),
        }
    )
    found = {name for name, seen in found_in_tar([Canary.of_text("token", TOKEN)], io.BytesIO(image)) if seen}
    assert found == {"0123/layer.tar", "blobs/sha256/4567"}


def test_processes_are_seen_with_their_arguments_and_environment() -> None:
    processes = Processes()
    program = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, f"--token={TOKEN}"],
        env={**os.environ, "KEY": KEY.hex()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        processes.look()
        child.communicate()
    found = processes.found([Canary.of_text("token", TOKEN), Canary.of_bytes("key", KEY)])
    assert {(name, where.split()[0]) for name, where in found} == {("token", "cmdline"), ("key", "environ")}
