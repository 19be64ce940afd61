"""The computation payload manifest: the image, what may be run in it, and where its nodes may connect to.

It is not signed: providers take it whose operators let everybody out to these addresses.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from golem_bridge.market.images import Image

EXPIRES = "2100-01-01T00:00:00Z"


def encoded_manifest(image: Image, urls: Sequence[str], *, now: datetime) -> str:
    """Value of ``golem.srv.comp.payload``: JSON in base64. Deploying and starting need no permission."""
    manifest = {
        "version": "0.1.0",
        "createdAt": now.isoformat(),
        "expiresAt": EXPIRES,
        "metadata": {"name": "Ray on Golem", "description": "A node of a Ray cluster", "version": "0.1.0"},
        "payload": [
            {
                "platform": {"arch": "x86_64", "os": "linux"},
                "urls": [image.url],
                "hash": f"sha3:{image.sha3}",
            }
        ],
        "compManifest": {
            "version": "0.1.0",
            "script": {"commands": ["run .*"], "match": "regex"},
            "net": {
                "inet": {"out": {"protocols": sorted({urlsplit(url).scheme for url in urls}), "urls": list(urls)}},
            },
        },
    }
    return base64.b64encode(json.dumps(manifest).encode()).decode()
