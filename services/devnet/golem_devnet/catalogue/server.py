"""``GET /v1/image/info?tag=…|hash=…`` answers where an image is and what it hashes to, as Golem's registry does.

On the devnet nothing is ever downloaded; the address only names the image.
"""

from __future__ import annotations

from aiohttp import web

from golem_devnet.catalogue.images import Images


def create_app(images: Images) -> web.Application:
    """The look-up as an aiohttp application."""

    async def info(request: web.Request) -> web.Response:
        tag, wanted = request.query.get("tag"), request.query.get("hash")
        if (tag is None) == (wanted is None):
            return web.json_response({"error": "give exactly one of tag and hash"}, status=400)
        found = images.by_tag(tag) if tag is not None else images.by_hash(wanted or "")
        if found is None:
            known = ", ".join(image.tag for image in images)
            return web.json_response({"error": f"unknown image {tag or wanted!r} — known: {known}"}, status=404)
        address = f"devnet/{found.hash}"
        return web.json_response({"http": f"http://{address}", "https": f"https://{address}", "sha3": found.hash})

    app = web.Application()
    app.router.add_get("/v1/image/info", info)
    return app
