#!/usr/bin/env bash
# Sees to it that a browser is here, in which the tests look at the console page.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=docker/engine/say.sh
. docker/engine/say.sh
missing="No browser is here (chromium, chromium-browser, google-chrome), the tests of the console page need one"

for name in chromium chromium-browser google-chrome chrome; do # those that tests/integration/browser.py looks for
    if command -v "$name" >/dev/null; then
        echo "$name is here already"
        exit 0
    fi
done
if ! is_root || ! is_debian; then
    fail "$missing — install it and run: make test"
fi
say "installing chromium"
export DEBIAN_FRONTEND=noninteractive
quietly apt-get update || fail "apt-get update failed — see above — mend the machine's apt sources and run: make test"
quietly apt-get install -y --no-install-recommends chromium fonts-dejavu-core \
    || fail "$missing, and apt-get cannot install Chromium (Ubuntu has no package of it) — see above — install it and run: make test"
