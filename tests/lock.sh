#!/usr/bin/env bash
# Pins every requirements.in with hashes and without addresses. Needs uv: pip install uv
set -euo pipefail
cd "$(dirname "$0")/.."
for folder in services/bridge services/devnet services/ray_plugin docker/ray-node docker/ray-node/upstream docker/yagna docker/chain tests tests/integration/clients; do
    uv pip compile "$folder/requirements.in" --output-file "$folder/requirements.txt" --quiet \
        --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header
done
