"""``GET /v1/image/info?tag=…|hash=…`` answers where an image is and what it hashes to, as Golem's registry does.

On the devnet an image is the container's own file system, so nothing is ever downloaded; the address only names it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from aiohttp import web

NODE_IMAGE = "ray-on-golem/ray-node:local"


def image_hash(tag: str) -> str:
    """What stands for the image's SHA3."""
    return hashlib.sha3_224(tag.encode()).hexdigest()


IMAGES: Mapping[str, str] = {NODE_IMAGE: image_hash(NODE_IMAGE)}
"""Tag to hash."""


def create_app(images: Mapping[str, str] = IMAGES) -> web.Application:
    """The look-up as an aiohttp application."""

    async def info(request: web.Request) -> web.Response:
        tag, wanted = request.query.get("tag"), request.query.get("hash")
        if (tag is None) == (wanted is None):
            return web.json_response({"error": "give exactly one of tag and hash"}, status=400)
        found = images.get(tag) if tag is not None else next((h for h in images.values() if h == wanted), None)
        if found is None:
            known = ", ".join(images)
            return web.json_response({"error": f"unknown image {tag or wanted!r} — known: {known}"}, status=404)
        return web.json_response({"http": f"http://devnet/{found}", "https": f"https://devnet/{found}", "sha3": found})

    app = web.Application()
    app.router.add_get("/v1/image/info", info)
    return app
