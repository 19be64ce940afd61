"""``python -m golem_bridge``."""

from golem_bridge.app import main

main()
