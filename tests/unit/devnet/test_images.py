"""The devnet's catalogue: what nodes can be made of, and how more is put into it."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from golem_devnet.catalogue.cli import run
from golem_devnet.catalogue.images import NODE_IMAGE, ImageError, Images, image_hash
from golem_devnet.catalogue.server import create_app

TAG = "somebody/something:1"


@pytest.fixture
def images(tmp_path: Path) -> Images:
    return Images(tmp_path / "images")


def archive(**files: bytes) -> io.BytesIO:
    """A tar; ``__`` in a name is a slash."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.replace("__", "/"))
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    packed.seek(0)
    return packed


def stored(tmp_path: Path, packed: io.BytesIO) -> Path:
    path = tmp_path / "image.tar"
    path.write_bytes(packed.getvalue())
    return path


def test_the_devnets_own_files_are_an_image_from_the_start(images: Images) -> None:
    (image,) = images
    assert (image.tag, image.root) == (NODE_IMAGE, Path("/"))
    assert images.by_hash(image_hash(NODE_IMAGE)) == image


def test_an_added_image_is_found_by_tag_and_hash_with_its_files(images: Images, tmp_path: Path) -> None:
    with stored(tmp_path, archive(bin__sh=b"#!", etc__motd=b"hello", dev__null=b"junk")).open("rb") as file:
        images.add(TAG, file, source="abc")
    found = images.by_tag(TAG)
    assert found is not None
    assert images.by_hash(found.hash) == found
    assert found.source == "abc"
    assert (found.root / "etc" / "motd").read_bytes() == b"hello"
    assert (found.root / "bin" / "sh").stat().st_mode & 0o111
    assert not (found.root / "dev" / "null").exists()


def test_adding_again_replaces(images: Images, tmp_path: Path) -> None:
    for content in (archive(bin__sh=b"1", old=b""), archive(bin__sh=b"2")):
        with stored(tmp_path, content).open("rb") as file:
            images.add(TAG, file)
    found = images.by_tag(TAG)
    assert found is not None
    assert sorted(path.name for path in found.root.iterdir()) == ["bin"]


@pytest.mark.parametrize(("content", "said"), [(b"no tar at all" * 100, "tar"), (archive(x=b"").getvalue(), "/bin/sh")])
def test_what_is_no_file_system_leaves_nothing(images: Images, tmp_path: Path, content: bytes, said: str) -> None:
    with stored(tmp_path, io.BytesIO(content)).open("rb") as file, pytest.raises(ImageError, match=said):
        images.add(TAG, file)
    assert images.by_tag(TAG) is None
    assert list((tmp_path / "images").iterdir()) == []


def test_the_own_image_cannot_be_replaced(images: Images) -> None:
    with pytest.raises(ImageError, match="own file system"):
        images.add(NODE_IMAGE, io.BytesIO())


def test_the_command_line(images: Images, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with stored(tmp_path, archive(bin__sh=b"")).open("rb") as file:
        images.add(TAG, file, source="abc")
    assert run(images, ["list"]) == 0
    assert json.loads(capsys.readouterr().out)[1] == {"tag": TAG, "hash": image_hash(TAG), "source": "abc"}
    assert run(images, ["remove", TAG]) == 0
    assert run(images, ["remove", TAG]) == 1
    assert "there is no image" in capsys.readouterr().err
    assert run(images, ["ad", TAG]) == 2


async def test_the_look_up_answers_as_golems_registry(images: Images, tmp_path: Path) -> None:
    async with TestClient(TestServer(create_app(images))) as client:
        path = "/v1/image/info"
        assert (await client.get(path, params={"tag": TAG})).status == 404
        with stored(tmp_path, archive(bin__sh=b"")).open("rb") as file:
            images.add(TAG, file)
        wanted = image_hash(TAG)
        for question in ({"tag": TAG}, {"hash": wanted}):
            answer = await client.get(path, params={**question, "count": "false"})
            assert (await answer.json())["sha3"] == wanted
            assert (await answer.json())["http"] == f"http://devnet/{wanted}"
        for question in ({}, {"tag": TAG, "hash": wanted}):
            assert (await client.get(path, params=question)).status == 400
