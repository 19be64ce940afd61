"""Health check of the bridge's container: exit 0 when the bridge says that it is ready."""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

TIMEOUT = 5
"""Seconds."""


def main() -> int:
    token = Path(os.environ.get("BRIDGE_TOKEN_FILE", "/run/bridge/token")).read_text(encoding="utf-8").strip()
    port = os.environ.get("BRIDGE_LISTEN_PORT", "4578")
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/health/ready", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310 - loopback
            return 0
    except urllib.error.HTTPError as error:
        print(error.read().decode(errors="replace"), file=sys.stderr)
    except OSError as error:
        print(f"the bridge does not answer on port {port}: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
