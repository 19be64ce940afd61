"""Puts the page together: one answer, nothing loaded from elsewhere, and a policy that allows exactly its own code."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
STYLE = "console.css"
SCRIPTS = ("text.js", "dom.js", "chart.js", "cluster.js", "console.js")
"""In the order in which they build on one another."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a browser gets."""

    body: bytes
    headers: Mapping[str, str]


def load_page() -> Page:
    """Read the page's parts and make one of them."""
    style = (FOLDER / STYLE).read_text(encoding="utf-8")
    scripts = [(FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS]
    html = (FOLDER / "page.html").read_text(encoding="utf-8")
    html = html.replace("<!-- style -->", f"<style>{style}</style>")
    html = html.replace("<!-- scripts -->", "\n".join(f"<script>{script}</script>" for script in scripts))
    headers = {
        "Content-Security-Policy": content_policy(style, scripts),
        "Cache-Control": "no-cache",
        "Vary": "Accept",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Page(html.encode(), headers)


def content_policy(style: str, scripts: list[str]) -> str:
    """Own code by its hash, own API, nothing else; strings never become markup (trusted types)."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(_source(script) for script in scripts)}",
            f"style-src {_source(style)}",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
