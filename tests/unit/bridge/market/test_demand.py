"""What goes to the market for a node type."""

from __future__ import annotations

import base64
import json

import pytest
from pydantic import ValidationError

from golem_bridge.golem.types import Demand
from golem_bridge.market.demand import PaymentTerms, build_demands
from golem_bridge.market.images import Image
from golem_bridge.market.requirements import DemandSpec, NodeConfig
from tests.fakes.golem.matching import matches
from tests.unit.bridge.samples import START, proposal

IMAGE = Image(url="http://registry/image.gvmi", sha3="ab" * 28)
TERMS = PaymentTerms(platform="erc20-hoodi-tglm", debit_note_interval=10, payment_timeout=60, decoration=({}, ()))


def demands(**config: object) -> list[Demand]:
    spec = config.pop("demand", DemandSpec(image_tag="image"))
    node_config = NodeConfig(demand=spec, **config)  # type: ignore[arg-type]
    return list(build_demands(node_config, IMAGE, TERMS, subnet="public", now=START))


def subnets(**config: object) -> list[object]:
    return [demand.properties["golem.node.debug.subnet"] for demand in demands(**config)]


def test_the_preferred_subnet_comes_first() -> None:
    assert subnets() == ["public"]
    assert subnets(subnet_tag="mine") == ["mine"]
    assert subnets(priority_subnet_tag="heads") == ["heads", "public"]
    assert subnets(priority_subnet_tag="mine", subnet_tag="mine") == ["mine"]
    assert subnets(priority_subnet_tag="") == ["public"]


def test_each_demand_asks_for_its_own_subnet() -> None:
    heads, public = demands(priority_subnet_tag="heads")
    offer = proposal(properties={"golem.node.debug.subnet": "heads"}).properties
    assert matches(heads.constraints, offer)
    assert not matches(public.constraints, offer)


def test_outbound_urls_become_a_manifest() -> None:
    urls = ("https://downloads.example.org", "http://example.com/data")
    (demand,) = demands(demand=DemandSpec(image_tag="image", outbound_urls=urls))
    manifest = json.loads(base64.b64decode(str(demand.properties["golem.srv.comp.payload"])))
    assert manifest["payload"][0]["hash"] == f"sha3:{IMAGE.sha3}"
    assert manifest["payload"][0]["urls"] == [IMAGE.url]
    assert manifest["compManifest"]["script"] == {"commands": ["run .*"], "match": "regex"}
    assert manifest["compManifest"]["net"]["inet"]["out"] == {"protocols": ["http", "https"], "urls": list(urls)}
    for capability in ("vpn", "inet", "manifest-support"):
        assert f"(golem.runtime.capabilities={capability})" in demand.constraints


def test_without_outbound_urls_there_is_no_manifest_and_no_way_out() -> None:
    (demand,) = demands()
    assert "golem.srv.comp.payload" not in demand.properties
    assert "inet" not in demand.constraints


@pytest.mark.parametrize(
    "url",
    [
        "downloads.example.org",
        "ftp://example.com",
        "file:///etc/passwd",
        "https://",
        "https://user:secret@example.com",
        "http://a\n",
    ],
)
def test_an_outbound_url_that_is_none_is_an_error(url: str) -> None:
    with pytest.raises(ValidationError):
        DemandSpec(image_tag="image", outbound_urls=(url,))
