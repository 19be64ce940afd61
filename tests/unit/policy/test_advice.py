"""Containers of two compose projects may run the same program: the commands it advises name the project."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
import yaml

from appliance.paths import COMPOSE_FILE, ROOT

PROGRAMS = ("services/devnet/golem_devnet", "docker/yagna/yagna_entry")
"""What runs in the containers of ``make devnet`` as well as in the appliance's."""

FOR_ANY_PROJECT = re.compile(r"docker compose (?!-p )\w")


def said(source: str) -> Iterator[str]:
    """String literals that are no docstrings."""
    tree = ast.parse(source)
    remarks = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in remarks:
            yield node.value


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_message_leaves_the_project_to_chance(program: str) -> None:
    files = sorted((ROOT / program).rglob("*.py"))
    assert files
    found = [
        (path.name, text) for path in files for text in said(path.read_text("utf-8")) if FOR_ANY_PROJECT.search(text)
    ]
    assert found == []


def test_the_devnets_document_leaves_it_to_chance_neither() -> None:
    assert FOR_ANY_PROJECT.findall((ROOT / "docs" / "DEVNET.md").read_text(encoding="utf-8")) == []


def test_a_message_without_a_project_is_found() -> None:
    source = '"""Or docker compose up."""\nraise Error(f"{x} — see docker compose logs chain")'
    assert [bool(FOR_ANY_PROJECT.search(text)) for text in said(source)] == [True]
    assert not FOR_ANY_PROJECT.search("docker compose -p mine logs chain")


@pytest.mark.parametrize("service", ["chain", "yagna", "devnet"])
def test_compose_tells_them_its_projects_name(service: str) -> None:
    services = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))["services"]
    assert services[service]["environment"]["PROJECT"] == "${COMPOSE_PROJECT_NAME:-ray-on-golem}"
