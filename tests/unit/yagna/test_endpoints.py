"""Nothing but the local chain may be configured on the devnet."""

from __future__ import annotations

import json

import pytest

from yagna_entry.endpoints import check_only_endpoint
from yagna_entry.errors import StartError

LOCAL = "http://chain:8545"
PUBLIC = "https://rpc.example"


def report(
    endpoints: dict[str, list[str]], dns: list[str] | None = None, sources: dict[str, object] | None = None
) -> str:
    """The shape that yagna 0.17.6 prints, less the statistics."""
    found = {name: [{"info": {}, "params": {"endpoint": url}} for url in urls] for name, urls in endpoints.items()}
    known = {"hoodi": {"dnsSources": dns or [], "jsonSources": []}} if sources is None else sources
    return json.dumps({"endpoints": found, "sources": known})


def judge(document: str) -> None:
    check_only_endpoint(document, "hoodi", LOCAL)


def test_exactly_the_local_endpoint_passes() -> None:
    judge(report({"hoodi": [LOCAL]}))
    judge(report({"hoodi": [LOCAL]}, sources={}))


@pytest.mark.parametrize(
    "document",
    [
        report({"hoodi": [PUBLIC]}),
        report({"hoodi": [LOCAL, PUBLIC]}),
        report({"hoodi": [LOCAL, LOCAL]}),
        report({"hoodi": []}),
        report({}),
        report({"polygon": [LOCAL]}),
        report({"hoodi": [LOCAL], "polygon": [PUBLIC]}),
        report({"hoodi": [LOCAL + "/"]}),
        report({"hoodi": [LOCAL]}, dns=["hoodi.rpc.example"]),
        report({"hoodi": [LOCAL]}, sources={"hoodi": {"dnsSources": [], "jsonSources": [PUBLIC]}}),
        report({"hoodi": [LOCAL]}, sources={"polygon": {"dnsSources": [PUBLIC]}}),
    ],
)
def test_anything_else_is_refused_with_the_next_command(document: str) -> None:
    with pytest.raises(
        StartError,
        match=r"only payment endpoint.*docker compose -p \S+ rm --stop --force yagna, and start it as before",
    ):
        judge(document)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "no endpoints",
        "[]",
        "null",
        "{}",
        '{"endpoints": {}}',
        '{"endpoints": [], "sources": {}}',
        '{"endpoints": {"hoodi": [{}]}, "sources": {}}',
        '{"endpoints": {"hoodi": null}, "sources": {}}',
        '{"endpoints": {"hoodi": [{"params": {"endpoint": "http://chain:8545"}}]}, "sources": {"hoodi": []}}',
    ],
)
def test_what_is_not_understood_is_no_proof(document: str) -> None:
    with pytest.raises(StartError):
        judge(document)
