"""The switchboard over HTTP, on a unix socket: who can enter the devnet's container can use it, rented nodes cannot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from golem_devnet.faults.switchboard import Switchboard, SwitchError


def create_app(switchboard: Switchboard) -> web.Application:
    """Every answer is the state of all providers once they act by the change; 400 with a message if there was none."""

    async def show(_request: web.Request) -> web.Response:
        return web.json_response(switchboard.state())

    async def change(request: web.Request) -> web.Response:
        return await after(lambda: _set(switchboard, request))

    async def clear(request: web.Request) -> web.Response:
        name = request.match_info.get("name")
        return await after(lambda: switchboard.clear(name) if name else switchboard.clear_all())

    async def act(request: web.Request) -> web.Response:
        return await after(lambda: switchboard.act(request.match_info["name"], request.match_info["action"]))

    async def restart(request: web.Request) -> web.Response:
        return await after(lambda: switchboard.restart(request.match_info["part"]))

    async def after(work: Callable[[], Awaitable[None]]) -> web.Response:
        try:
            await work()
        except SwitchError as error:
            return web.json_response({"error": str(error)}, status=400)
        await switchboard.obeyed()
        return web.json_response(switchboard.state())

    app = web.Application()
    app.router.add_get("/providers", show)
    app.router.add_delete("/providers", clear)
    app.router.add_patch("/providers/{name}", change)
    app.router.add_delete("/providers/{name}", clear)
    app.router.add_post("/providers/{name}/{action}", act)
    app.router.add_post("/restart/{part}", restart)
    return app


async def _set(switchboard: Switchboard, request: web.Request) -> None:
    try:
        changes = await request.json()
    except ValueError as error:
        raise SwitchError(f"the body is no JSON — {error}") from error
    if not isinstance(changes, dict):
        raise SwitchError("the body is no JSON object of faults")
    switchboard.set(request.match_info["name"], changes)
