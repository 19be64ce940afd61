"""A host of its own for every test: empty home, no settings, a bridge that answers as told."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

with warnings.catch_warnings():
    # Ray's libraries, imported here for all tests, warn of each other
    warnings.simplefilter("ignore")
    import ray.autoscaler._private.commands  # noqa: F401

from ray_on_golem import keys
from ray_on_golem.provider import node_provider, turn
from ray_on_golem.provider.node_provider import KEY, SPEC, GolemNodeProvider
from tests.unit.ray_plugin.bridge_server import BridgeServer
from tests.unit.ray_plugin.fake_bridge import FakeBridge

NODE_TYPES = {
    "head": {"demand": {"image_tag": "x"}, "budget_control": {}},
    "worker": {"demand": {"image_tag": "x"}, "budget_control": {"max_start_price": "0.5"}},
}

Make = Callable[..., GolemNodeProvider]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for variable in ("XDG_DATA_HOME", "ON_GOLEM_NETWORK", "RAY_ON_GOLEM_TOKEN_FILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    yield home
    turn.give_back("one")


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """Of an appliance in the working folder."""
    file = tmp_path / "run" / "bridge-token"
    file.parent.mkdir()
    file.write_text("secret\n", encoding="utf-8")
    return file


@pytest.fixture
def server(token_file: Path) -> Iterator[BridgeServer]:
    """Something that speaks HTTP where the bridge is expected."""
    with BridgeServer() as server:
        (token_file.parent / "bridge-port").write_text(str(server.port), encoding="utf-8")
        yield server


@pytest.fixture
def bridge() -> FakeBridge:
    return FakeBridge()


@pytest.fixture
def make(bridge: FakeBridge, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A provider on the host, as bootstrapped; ``on_head``: as on the head."""
    monkeypatch.setattr(node_provider, "Bridge", lambda _place: bridge)

    def make(*, on_head: bool = False, **parameters: object) -> GolemNodeProvider:
        if on_head:
            monkeypatch.setenv("ON_GOLEM_NETWORK", "1")
            return GolemNodeProvider({"parameters": {"webserver_port": 4578}}, "one")
        key = str(keys.make_default_key("one"))
        spec = {"total_budget": "5", "head_node_type": "head", "node_types": NODE_TYPES}
        return GolemNodeProvider({"parameters": parameters, SPEC: spec, KEY: key}, "one")

    return make
