"""``python -m golem_devnet.net [PORT]``: the hub's own process."""

import asyncio
import logging
import sys

import uvloop

from golem_devnet.net.hub import main
from golem_devnet.supervisor.settings import HUB_PORT

if __name__ == "__main__":
    logging.basicConfig(level="INFO", format="[hub] %(message)s", stream=sys.stderr)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        asyncio.run(main("0.0.0.0", int(sys.argv[1]) if sys.argv[1:] else HUB_PORT))  # noqa: S104 - not published
    except KeyboardInterrupt:
        sys.exit(0)
