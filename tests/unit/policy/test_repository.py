"""What may not be in any tracked file."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from appliance.paths import ROOT

PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{40,}")


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    output = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in output.split("\0") if name and (path := ROOT / name).is_file()]


def test_requirements_are_pinned_with_hashes_and_without_addresses(tracked: list[Path]) -> None:
    pinned = [path for path in tracked if path.name == "requirements.txt"]
    assert len(pinned) >= 6
    for path in pinned:
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, path
        joined = text.replace("\\\n", " ").splitlines()
        for requirement in (line for line in joined if line and not line.lstrip().startswith("#")):
            assert "==" in requirement, (path, requirement)
            assert "--hash=sha256:" in requirement, (path, requirement)


def test_no_private_key_is_tracked(tracked: list[Path]) -> None:
    for path in tracked:
        assert not PRIVATE_KEY.search(path.read_text(encoding="utf-8", errors="replace")), path


def test_what_an_installation_makes_is_not_tracked(tracked: list[Path]) -> None:
    assert [path.name for path in tracked if path.is_relative_to(ROOT / "run")] == [".gitignore"]
