"""Files into a node, out of it and within it; a local process stands for the node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from golem_devnet.exeunit.transfer import TransferError, transfer

CONTENT = bytes(range(256)) * 4096


class LocalNode:
    """This machine."""

    async def popen(
        self, program: str, *arguments: str, reads: bool = False, writes: bool = False
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.PIPE if reads else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if writes else asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )


class Files:
    """A web server's folder."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {"file": CONTENT, "empty": b""}
        self.url = ""

    def application(self) -> web.Application:
        async def get(request: web.Request) -> web.Response:
            name = request.match_info["name"]
            return web.Response(body=self.held[name]) if name in self.held else web.Response(status=404)

        async def put(request: web.Request) -> web.Response:
            name = request.match_info["name"]
            if name == "forbidden":
                return web.Response(status=403)
            self.held[name] = await request.read()
            return web.Response(status=201)

        app = web.Application(client_max_size=1 << 24)
        app.router.add_get("/{name}", get)
        app.router.add_put("/{name}", put)
        return app


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    made = Files()
    async with TestServer(made.application()) as server:
        made.url = str(server.make_url("/"))
        yield made


async def test_there_and_back_again(files: Files, tmp_path: Path) -> None:
    inside = tmp_path / "new folder" / "it's"
    place = f"container:{inside}".replace(" ", "%20")
    await transfer(LocalNode(), {"from": f"{files.url}file", "to": place})
    assert inside.read_bytes() == CONTENT
    await transfer(LocalNode(), {"from": place, "to": f"container:{tmp_path}/copy"})
    await transfer(LocalNode(), {"from": f"container:{tmp_path}/copy", "to": f"{files.url}back"})
    assert files.held["back"] == CONTENT


async def test_an_empty_file_is_a_file(files: Files, tmp_path: Path) -> None:
    await transfer(LocalNode(), {"from": f"{files.url}empty", "to": f"container:{tmp_path}/empty"})
    assert (tmp_path / "empty").read_bytes() == b""


async def test_a_missing_source_leaves_no_target(files: Files, tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="answers 404"):
        await transfer(LocalNode(), {"from": f"{files.url}nothing", "to": f"container:{tmp_path}/nothing"})
    assert not (tmp_path / "nothing").exists()
    with pytest.raises(TransferError, match="No such file"):
        await transfer(LocalNode(), {"from": f"container:{tmp_path}/nothing", "to": f"container:{tmp_path}/copy"})


async def test_a_target_that_refuses_is_an_error(files: Files, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    with pytest.raises(TransferError, match="answers 403"):
        await transfer(LocalNode(), {"from": f"container:{tmp_path}/file", "to": f"{files.url}forbidden"})
    with pytest.raises(TransferError, match=r"Is a directory|cannot create"):
        await transfer(LocalNode(), {"from": f"{files.url}file", "to": f"container:{tmp_path}"})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"to": "container:/a"}, "names no 'from'"),
        ({"from": "container:/a"}, "names no 'to'"),
        ({"from": "gftp://0xab/cd", "to": "container:/a"}, "http:, https: and container: only"),
        ({"from": "container:/a", "to": "file:///etc/passwd"}, "http:, https: and container: only"),
        ({"from": "container:a", "to": "container:/b"}, "no absolute path"),
        ({"from": "container:/a", "to": "container:/b/"}, "no absolute path"),
        ({"from": "container:/a", "to": "container:/b", "format": "tar"}, "transfer of folders"),
    ],
)
async def test_what_cannot_be_moved_is_named(arguments: dict[str, str], said: str) -> None:
    with pytest.raises(TransferError, match=said):
        await transfer(LocalNode(), arguments)
