"""A clone made under umask 077 gives images that other users than root can use, too."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from appliance.paths import ROOT


def last_stage(image: str) -> list[str]:
    """Instructions, those of several lines as one."""
    text = (ROOT / "docker" / image / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return lines[max(index for index, line in enumerate(lines) if line.startswith("FROM ")) :]


@pytest.mark.parametrize("image", ["bridge", "chain", "devnet", "yagna"])
def test_what_is_copied_is_made_readable_for_everybody(image: str) -> None:
    copied: set[PurePosixPath] = set()
    readable: set[PurePosixPath] = set()
    for line in last_stage(image):
        words = line.split()
        if words[0] == "COPY" and not words[1].startswith("--from=") and not words[-1].startswith("/tmp/"):
            copied.add(PurePosixPath(words[-1]))
            readable.clear()
        elif found := re.search(r"chmod -R a\+rX ([^&;]*)", line):
            readable |= {PurePosixPath(word) for word in found[1].split()}
    assert copied
    assert [path for path in copied if not any(path.is_relative_to(place) for place in readable)] == []
