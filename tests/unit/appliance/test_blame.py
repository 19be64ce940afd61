"""Who is asked for its last words when containers do not come up."""

from __future__ import annotations

import json

import pytest

from appliance.blame import failed_services, last_words, unique


@pytest.mark.parametrize(
    ("container", "failed"),
    [
        ({"State": "running", "Health": "healthy", "ExitCode": 0}, False),
        ({"State": "running", "Health": "starting", "ExitCode": 0}, False),
        ({"State": "running", "Health": "", "ExitCode": 0}, False),
        ({"State": "exited", "Health": "", "ExitCode": 0}, False),
        ({"State": "created", "Health": "", "ExitCode": 0}, False),
        ({"State": "running", "Health": "unhealthy", "ExitCode": 0}, True),
        ({"State": "restarting", "Health": "", "ExitCode": 1}, True),
        ({"State": "exited", "Health": "", "ExitCode": 1}, True),
    ],
)
def test_who_failed(container: dict[str, object], failed: bool) -> None:
    listing = json.dumps({"Service": "chain", **container}) + "\n"
    assert failed_services(listing) == (["chain"] if failed else [])


def test_older_composes_tell_of_all_in_one_list() -> None:
    containers = [{"Service": "chain", "State": "exited", "ExitCode": 1}, {"Service": "yagna", "State": "running"}]
    assert failed_services(json.dumps(containers)) == ["chain"]


def test_nobody_did() -> None:
    assert failed_services("") == []


def test_what_is_said_again_and_again_is_shown_once() -> None:
    assert unique(["a", "b", "a", "b"]) == ["a", "b"]


def test_without_docker_nothing_is_added() -> None:
    assert last_words(["/no/such/docker", "compose"], {}) == ""
