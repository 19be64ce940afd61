"""What the documents say of the code is looked up in the code."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute, APIWebSocketRoute

import golem_bridge.api
from appliance.paths import ROOT
from tests.dotenv import committed

DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
OPERATIONS = ROOT / "docs" / "OPERATIONS.md"
SOURCES = ("services", "appliance", "docker")
LINK = re.compile(r"\[[^\]]+\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")
MAKE = re.compile(r"(?<![\w-])make ([a-z][a-z-]+)")
ROUTE = re.compile(r"^\| `([A-Z]+) (/\S*)` \|", re.MULTILINE)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code_in(text: str) -> str:
    """What stands in backticks or in indented lines: commands, not prose."""
    indented = [line for line in text.splitlines() if line.startswith("    ")]
    return "\n".join([*indented, *re.findall(r"`([^`\n]+)`", text)])


@cache
def sources() -> str:
    """All programs, with the quotes between the parts of a long sentence taken out."""
    paths = [path for folder in SOURCES for ending in ("py", "sh") for path in (ROOT / folder).rglob(f"*.{ending}")]
    return re.sub(r'"\s*\n\s*f?"', "", "\n".join(text_of(path) for path in sorted(paths)))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    missing = [target for target in LINK.findall(text_of(path)) if not (path.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_make_knows_every_command_that_is_named(path: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    assert set(MAKE.findall(code_in(text_of(path)))) <= known


def routers() -> Iterator[APIRouter]:
    """Of every module of the API; the package v013 is described as a whole."""
    for module in pkgutil.iter_modules(golem_bridge.api.__path__):
        if not module.ispkg:
            values = vars(importlib.import_module(f"golem_bridge.api.{module.name}")).values()
            yield from (value for value in values if isinstance(value, APIRouter))


def test_the_api_table_is_complete() -> None:
    served = set()
    for route in (route for router in routers() for route in router.routes):
        if isinstance(route, APIRoute):
            served |= {(method, route.path) for method in route.methods or ()}
        elif isinstance(route, APIWebSocketRoute):
            served.add(("WS", route.path))
    told = set(ROUTE.findall(text_of(ROOT / "docs" / "ARCHITECTURE.md")))
    assert told == served, "bring the table in docs/ARCHITECTURE.md, section API, up to date"


def messages() -> list[str]:
    table = text_of(OPERATIONS).partition("| Message contains |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def test_there_are_messages_to_look_up() -> None:
    assert len(messages()) > 25


@pytest.mark.parametrize("message", messages())
def test_every_message_that_is_explained_exists(message: str) -> None:
    assert message in sources(), "bring the table in docs/OPERATIONS.md up to date"


def test_a_message_that_nobody_says_is_not_found() -> None:
    assert "The moon is made of cheese" not in sources()


def test_the_readmes_settings_are_read() -> None:
    table = text_of(ROOT / "README.md").partition("| Key | Meaning |")[2].partition("\n\n")[0]
    told = set(re.findall(r"`([A-Z][A-Z_]+)`", table))
    read = committed() + "".join(
        text_of(ROOT / name) for name in ("docker-compose.yml", "docker/engine/base-images.sh")
    )
    assert len(told) > 10
    assert [key for key in told if key not in read] == []
